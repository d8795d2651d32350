import FUSE
import Glibc
import Synchronization

/// The files that the kernel knows, and how often it was told of each.
final class FileTable: Sendable {
    private struct Known {
        let file: File
        var references: UInt64
    }

    private struct State {
        var files: [NodeID: Known] = [:]
        var nodes: [FileID: NodeID] = [:]
        var last = NodeID.root
    }

    private let state: Mutex<State>

    init(root: File) {
        var state = State()
        state.files[.root] = Known(file: root, references: 1)
        state.nodes[root.id] = .root
        self.state = Mutex(state)
    }

    /// - Throws: ESTALE if the kernel does not know it.
    subscript(node: NodeID) -> File {
        get throws(Errno) {
            guard let known = state.withLock({ $0.files[node] }) else { throw .staleNFSFileHandle }
            return known.file
        }
    }

    /// One more reference to a file; the one that is known already is kept.
    func entry(_ file: File) throws(Errno) -> Entry {
        let attributes = try file.attributes()
        return state.withLock { state in
            let node: NodeID
            if let known = state.nodes[file.id] {
                node = known
            } else {
                state.last.rawValue += 1
                node = state.last
                state.nodes[file.id] = node
            }
            state.files[node, default: Known(file: file, references: 0)].references += 1
            return Entry(node, attributes)
        }
    }

    func forget(_ node: NodeID, count: UInt64) {
        // What goes is closed without the lock.
        _ = state.withLock { state -> File? in
            guard let known = state.files[node], node != .root else { return nil }
            if known.references > count {
                state.files[node]!.references -= count
                return nil
            }
            state.files[node] = nil
            state.nodes[known.file.id] = nil
            return known.file
        }
    }
}

/// What is open, by handle.
final class OpenTable<Item: AnyObject & Sendable>: Sendable {
    private let items = Mutex<(last: UInt64, all: [HandleID: Item])>((0, [:]))

    func add(_ item: Item) -> HandleID {
        items.withLock { items in
            items.last += 1
            let handle = HandleID(rawValue: items.last)
            items.all[handle] = item
            return handle
        }
    }

    subscript(handle: HandleID) -> Item {
        get throws(Errno) {
            guard let item = items.withLock({ $0.all[handle] }) else { throw .badFileDescriptor }
            return item
        }
    }

    func remove(_ handle: HandleID) { _ = items.withLock { $0.all.removeValue(forKey: handle) } }
}

/// An open directory. The position in it belongs to whoever holds its lock.
final class OpenDirectory: Sendable {
    private let stream: Mutex<Stream>

    /// A `DIR *`, which nobody else has.
    private struct Stream: @unchecked Sendable {
        let pointer: OpaquePointer
    }

    /// Takes the descriptor over.
    init(_ descriptor: FileDescriptor) throws(Errno) {
        guard let pointer = fdopendir(descriptor.rawValue) else { throw Errno(rawValue: errno) }
        stream = Mutex(Stream(pointer: pointer))
    }

    deinit { _ = stream.withLock { closedir($0.pointer) } }

    func list(from position: UInt64, into list: inout DirectoryList) {
        stream.withLock { stream in
            if position == 0 { rewinddir(stream.pointer) } else { seekdir(stream.pointer, Int(position)) }
            while let entry = readdir(stream.pointer) {
                let fits = withUnsafeBytes(of: &entry.pointee.d_name) { name in
                    let length = strnlen(name.baseAddress!, name.count)
                    let kind = FileKind(rawValue: UInt32(entry.pointee.d_type) << 12)
                    return list.append(
                        UnsafeRawBufferPointer(rebasing: name[..<length]).bytes, number: UInt64(entry.pointee.d_ino),
                        kind,
                        next: UInt64(telldir(stream.pointer)))
                }
                if !fits { return }
            }
        }
    }
}
