import BenchCore
import CBench
import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// What is the same behind a mount as on it. A daemon may change some of that on purpose: bindfs shows other owners and modes.
struct MirroredAspects: OptionSet, Codable, Sendable {
    let rawValue: Int

    /// Names, kinds, sizes, data, targets of links.
    static let content = MirroredAspects(rawValue: 1)
    static let mode = MirroredAspects(rawValue: 2)
    static let owner = MirroredAspects(rawValue: 4)
    /// Times of modification.
    static let times = MirroredAspects(rawValue: 8)
    static let links = MirroredAspects(rawValue: 16)
    static let extendedAttributes = MirroredAspects(rawValue: 32)

    static let all: MirroredAspects = [.content, .mode, .owner, .times, .links, .extendedAttributes]
}

/// Compares a directory on the mount with the same one behind it: what a mount says of its files must be what its daemon made of
/// its source. A daemon that forgets to pass something on, and remembers to tell it, is found by nothing else.
struct SourceComparison {
    let mount: Path
    let source: Path
    let aspects: MirroredAspects

    /// So much is looked at: a check's own files are few and small.
    private static let mostFiles = 4096
    private static let mostBytes = 8 << 20

    /// Syncs, and compares. What differs gets a while to become the same: a file is released after its close(2) has returned.
    ///
    /// - Returns: the first difference that stays; nil if there is none.
    func lastingDifference(within seconds: Double = 3) -> String? {
        let end = cbench_now() + UInt64(seconds * Pace.inherited.factor * 1e9)
        while true {
            sync()
            guard let difference = difference() else { return nil }
            if cbench_now() > end { return difference }
            usleep(50_000)
        }
    }

    /// What the kernel still keeps goes to the daemon. An error of that is told to who wrote, by fsync(2).
    private func sync() {
        guard let directory = try? File(mount, O_RDONLY | O_DIRECTORY) else { return }
        _ = clinux_syncfs(directory.descriptor)
    }

    /// The first difference as things are now.
    private func difference() -> String? {
        var rest = Rest()
        return compare(directory: Path(""), &rest)
    }

    private struct Rest {
        var files = SourceComparison.mostFiles
        var bytes = SourceComparison.mostBytes
    }

    private func on(_ root: Path, _ relative: Path) -> Path { relative.bytes.isEmpty ? root : root / relative }

    private func compare(directory relative: Path, _ rest: inout Rest) -> String? {
        // A path that is too long for one side, or closed to this user, is no difference.
        guard let told = try? FS.names(on(mount, relative)), let kept = try? FS.names(on(source, relative)) else {
            return nil
        }
        func path(_ name: Path) -> Path { relative.bytes.isEmpty ? name : relative / name }
        if let name = Set(told).subtracting(kept).first { return "\(path(name)) is on the mount and not behind it" }
        if let name = Set(kept).subtracting(told).first { return "\(path(name)) is behind the mount and not on it" }
        for name in told {
            rest.files -= 1
            if rest.files < 0 { return nil }
            if let difference = compare(file: path(name), &rest) { return difference }
        }
        return nil
    }

    private func compare(file relative: Path, _ rest: inout Rest) -> String? {
        let (one, other) = (on(mount, relative), on(source, relative))
        guard let told = try? FS.stat(one, fresh: true), let kept = try? FS.stat(other) else { return nil }
        func differ<Value: Equatable>(_ what: String, _ told: Value, _ kept: Value) -> String? {
            told == kept ? nil : "\(what) of \(relative): the mount says \(told), behind it is \(kept)"
        }
        if let found = differ("kind", told.kind, kept.kind) { return found }
        if aspects.contains(.mode), let found = differ("mode", told.mode, kept.mode) { return found }
        if aspects.contains(.owner) {
            if let found = differ("owner", told.owner, kept.owner) { return found }
            if let found = differ("group", told.group, kept.group) { return found }
        }
        if aspects.contains(.links), let found = differ("link count", told.links, kept.links) { return found }
        // The kernel itself writes to a FIFO and to a socket.
        if aspects.contains(.times), told.kind != .fifo, told.kind != .socket,
            let found = differ("mtime", told.modified, kept.modified)
        {
            return found
        }
        if aspects.contains(.extendedAttributes), let found = compareAttributes(relative) { return found }
        switch told.kind {
        case .directory:
            // What is mounted there, on one side only, is another filesystem.
            guard let root = try? FS.stat(mount), told.filesystem == root.filesystem else { return nil }
            return compare(directory: relative, &rest)
        case .regular:
            return differ("size", told.size, kept.size) ?? compareContent(relative, size: Int(told.size), &rest)
        case .symbolicLink:
            guard let told = try? FS.readlink(one), let kept = try? FS.readlink(other) else { return nil }
            return differ("target", told, kept)
        case .characterDevice, .blockDevice:
            return differ("device", "\(told.device)", "\(kept.device)")
        default: return nil
        }
    }

    private func compareAttributes(_ relative: Path) -> String? {
        func attributes(_ path: Path) -> [Path: [UInt8]]? {
            guard let names = try? FS.listxattr(path) else { return nil }
            let own = names.filter { name in
                ["user.", "trusted.", "system.posix_acl_"].contains { name.bytes.starts(with: $0.utf8) }
            }
            var values: [Path: [UInt8]] = [:]
            for name in own { values[name] = try? FS.getxattr(path, name) }
            return values
        }
        guard let told = attributes(on(mount, relative)), let kept = attributes(on(source, relative)), told != kept
        else { return nil }
        let name = Set(told.keys).union(kept.keys).first { told[$0] != kept[$0] } ?? ""
        func text(_ value: [UInt8]?) -> String { value.map { "\($0.count) bytes" } ?? "nothing" }
        let same = told[name]?.count == kept[name]?.count
        return "\(name) of \(relative): the mount says \(text(told[name])), behind it "
            + (same ? "are others" : "is \(text(kept[name]))")
    }

    /// Of a file that is not small, what is written behind the mount: its holes have no end.
    private func compareContent(_ relative: Path, size: Int, _ rest: inout Rest) -> String? {
        guard size > 0, let told = try? File(on(mount, relative), O_RDONLY | O_NONBLOCK),
            let kept = try? File(on(source, relative), O_RDONLY | O_NONBLOCK)
        else { return nil }
        let isSmall = size <= rest.bytes
        var at: Int64 = 0
        while at < size, rest.bytes > 0 {
            if !isSmall {
                guard let next = try? kept.seek(at, CBENCH_SEEK_DATA), next >= 0 else { return nil }
                at = next
            }
            let length = min(256 << 10, rest.bytes, size - Int(at))
            guard let one = try? told.read(length, at: at), let other = try? kept.read(length, at: at) else {
                return nil
            }
            if one != other {
                let place = zip(one, other).enumerated().first { $0.element.0 != $0.element.1 }
                guard let place else {
                    return
                        "data of \(relative) at \(at): the mount gives \(one.count) bytes, behind it are \(other.count)"
                }
                let (told, kept) = place.element
                return "byte \(Int(at) + place.offset) of \(relative): the mount says \(told), behind it is \(kept)"
            }
            if other.isEmpty { return nil }
            at += Int64(other.count)
            rest.bytes -= other.count
        }
        return nil
    }
}
