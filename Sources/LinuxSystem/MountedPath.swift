import Glibc
public import SystemPackage

/// Where a path leads, as far as can be told without asking a FUSE daemon, who may never answer.
///
/// It walks as the kernel does, from mount to mount and from link to link, and ends at the first FUSE mount: what lies there is
/// known by mountinfo alone.
public enum MountedPath: Sendable, Hashable {
    /// The root of a FUSE mount.
    case mount(MountEntry)
    /// Something below the root of a FUSE mount: the rest of the way is its daemon's to tell.
    case inside(MountEntry, FilePath)
    /// Outside of every FUSE mount: absolute and without symbolic links, but for a last component that is not there.
    case elsewhere(FilePath)

    /// Follows a path; a relative one from the working directory.
    ///
    /// - Throws: ENOENT and ENOTDIR for a path that ends early, as an empty one does; ELOOP; EACCES.
    public init(_ path: FilePath) throws(Errno) {
        if path.isEmpty { throw .noSuchFileOrDirectory }
        var walk = Walk(table: try MountTable.read())
        if !path.isAbsolute { walk.add(try Walk.workingDirectory()) }
        self = try walk.follow(path)
    }
}

private struct Walk {
    private let table: [MountEntry]
    /// Where the walk stands, without symbolic links.
    private var place = FilePath("/")
    /// The mounts that it went through, the one that it is in last.
    private var mounts: [MountEntry] = []
    /// What it has yet to go, the next component last.
    private var rest: [FilePath.Component] = []
    private var links = 0

    init(table: [MountEntry]) {
        self.table = table
        enterMounts()
    }

    mutating func add(_ path: FilePath) { rest += path.components.reversed() }

    mutating func follow(_ path: FilePath) throws(Errno) -> MountedPath {
        rest = path.components.reversed() + rest
        while let next = rest.popLast() {
            switch next.kind {
            case .currentDirectory: continue
            case .parentDirectory: leave()
            case .regular:
                if let mount = mounts.last, mount.isFUSE {
                    return .inside(mount, ([next] + rest.reversed()).reduce(into: place) { $0.append($1) })
                }
                try enter(next)
            }
        }
        if let mount = mounts.last, mount.isFUSE { return .mount(mount) }
        return .elsewhere(place)
    }

    private mutating func enter(_ component: FilePath.Component) throws(Errno) {
        let parent = place
        place.append(component)
        // What lies below a mount point is not to be seen, and what is mounted there is no link.
        if enterMounts() { return }
        do throws(Errno) {
            let target = try Walk.target(of: place)
            links += 1
            if links > 40 { throw .tooManySymbolicLinkLevels }
            place = parent
            if target.isAbsolute {
                place = "/"
                mounts = []
                enterMounts()
            }
            add(target)
        } catch .invalidArgument {
            // No link.
        } catch .noSuchFileOrDirectory where rest.isEmpty {
            // Whoever uses the path shall say so.
        }
    }

    /// `..` of a mount's root is that of its mount point.
    private mutating func leave() {
        if place == "/" { return }
        while let mount = mounts.last, mount.path == place { mounts.removeLast() }
        place.removeLastComponent()
    }

    /// Crosses into what is mounted here, one on top of the other.
    @discardableResult
    private mutating func enterMounts() -> Bool {
        var entered = false
        while let next = table.first(where: { $0.path == place && isBelow($0) }) {
            mounts.append(next)
            entered = true
        }
        return entered
    }

    /// Whether it is mounted on the mount that the walk is in: one in the same place may be hidden by a mount above it. The
    /// first one's parent is outside of what this process can see.
    private func isBelow(_ entry: MountEntry) -> Bool {
        if let current = mounts.last { return entry.parentID == current.mountID && entry.mountID != current.mountID }
        return !table.contains { $0.mountID == entry.parentID && $0.mountID != entry.mountID }
    }

    private static func target(of path: FilePath) throws(Errno) -> FilePath {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = try Errno.check {
            unsafe path.withPlatformString { path in
                unsafe buffer.withUnsafeMutableBytes { unsafe readlink(path, $0.baseAddress!, $0.count) }
            }
        }
        return FilePath(bytes: buffer[..<count])
    }

    /// getcwd(2), which asks no filesystem.
    static func workingDirectory() throws(Errno) -> FilePath {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let found = unsafe buffer.withUnsafeMutableBytes { unsafe getcwd($0.baseAddress!, $0.count) != nil }
        guard found else { throw .last }
        return FilePath(bytes: buffer)
    }
}
