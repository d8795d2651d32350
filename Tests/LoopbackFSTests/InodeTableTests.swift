import Glibc
import LinuxSystem
import Synchronization
import Testing

@testable import LoopbackFS

@Suite("Table of inodes")
struct InodeTableTests {
    private let mount = BackingMount(id: 0, descriptor: -1, cache: DescriptorCache(capacity: 0))

    private func inode(_ fileSystem: BackingFileSystem, _ number: UInt64, generation: UInt64? = nil) -> Inode {
        let handle = generation.map { FileHandle(type: 1, byteCount: 16, words: [number, $0, 0, 0]) }
        return Inode(
            fileSystem: fileSystem, number: number, type: FileStatus.regularType, handle: handle, descriptor: nil)
    }

    private func table() -> (InodeTable, BackingFileSystem) {
        let fileSystem = BackingFileSystem(index: 0, mount: mount, member: -1, usesHandles: false)
        let root = Inode(
            fileSystem: fileSystem, number: 2, type: FileStatus.directoryType, handle: nil, descriptor: nil,
            node: NodeID.root)
        return (InodeTable(root: root), fileSystem)
    }

    @Test func everyGenerationIsFoundUntilItIsForgotten() {
        let (table, fileSystem) = table()
        // More than a node id tells apart.
        let inodes = (0..<600).map { table.insert(inode(fileSystem, 77, generation: $0)) }
        #expect(Set(inodes.map(\.node)).count == 600)
        for inode in inodes { #expect(table[inode.node] === inode) }
        let latest = inodes[599]
        #expect(table.latest(latest.identity) === latest)
        #expect(table.find(latest.identity, latest.handle) === latest)
        #expect(table.find(latest.identity, inodes[0].handle) == nil)
        for inode in inodes.dropLast() { #expect(table.forget(inode.node, count: 1) === inode) }
        #expect(table.forget(latest.node, count: 1) == nil && table[latest.node] === latest)
        #expect(table.forget(latest.node, count: 1) === latest && table.count == 1)
        #expect(table.latest(latest.identity) == nil)
    }

    /// LOOKUPs and FORGETs of one file at once: whoever holds a reference finds it, and it is one inode.
    @Test(arguments: [77, 1 << 50] as [UInt64])
    func forgetAgainstLookup(number: UInt64) {
        let (table, fileSystem) = table()
        let wrong = Atomic<Int>(0)
        let threads = (0..<4).map { _ in
            start {
                for _ in 0..<20_000 {
                    let mine = table.insert(inode(fileSystem, number))
                    if table[mine.node] !== mine || table.latest(mine.identity) !== mine {
                        wrong.add(1, ordering: .relaxed)
                    }
                    _ = table.forget(mine.node, count: 1)
                }
            }
        }
        for thread in threads { pthread_join(thread, nil) }
        #expect(wrong.load(ordering: .relaxed) == 0)
        #expect(table.count == 1)
    }

    private func start(_ body: @escaping @Sendable () -> Void) -> pthread_t {
        final class Box {
            let body: @Sendable () -> Void; init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            {
                Unmanaged<Box>.fromOpaque($0!).takeRetainedValue().body()
                return nil
            }, Unmanaged.passRetained(Box(body)).toOpaque())
        return thread
    }
}
