import CBench
import CLinux
import Glibc
import SystemPackage

/// Modes, owners, times and numbers of files.
let attributeChecks = CheckGroup(
    "attributes",
    [
        .init("chmod-every-bit", "chmod(2)") { _ in
            try FS.create("f")
            try FS.mkdir("d")
            for bit in 0..<12 {
                for name: Path in ["f", "d"] {
                    let mode = mode_t(1 << bit) | 0o700
                    try FS.chmod(name, mode)
                    try expect("mode", try FS.stat(name).mode, is: Mode(UInt16(mode)), path: name)
                }
            }
            try FS.chmod("d", 0o755)
            let file = try File("f", O_RDWR)
            try file.chmod(0o640)
            try expect("mode by descriptor", try FS.stat("f").mode, is: 0o640, path: "f")
            try fails(.noSuchFileOrDirectory, what: "chmod of nothing") { try FS.chmod("x", 0o600) }
        },
        .init("chown-by-root", "chown(2)", needs: [.root]) { _ in
            try FS.create("f")
            try FS.chown("f", 12345, 54321)
            var attributes = try FS.stat("f")
            try expect("owner", attributes.owner, is: 12345, path: "f")
            try expect("group", attributes.group, is: 54321, path: "f")
            try FS.chown("f", nil, 7)
            attributes = try FS.stat("f")
            try expect("owner that was to stay", attributes.owner, is: 12345, path: "f")
            try expect("group", attributes.group, is: 7, path: "f")
            try FS.chown("f", 4_000_000_000, nil)
            try expect("owner beyond 2^31", try FS.stat("f").owner, is: 4_000_000_000, path: "f")
        },
        .init("times-to-the-nanosecond", "utimensat(2)") { _ in
            try FS.create("f")
            try FS.mkdir("d")
            for name: Path in ["f", "d"] {
                for (seconds, nanoseconds): (Int64, Int64) in [
                    (1_600_000_000, 1), (1_600_000_000, 999_999_999), (1, 123_456_789), (0, 0),
                ] {
                    try FS.setTimes(
                        name, accessed: FileTime(seconds + 5, nanoseconds), modified: FileTime(seconds, nanoseconds))
                    let attributes = try FS.stat(name)
                    try expect("atime", attributes.accessed, is: FileTime(seconds + 5, nanoseconds), path: name)
                    try expect("mtime", attributes.modified, is: FileTime(seconds, nanoseconds), path: name)
                }
            }
            let file = try File("f", O_RDONLY)
            try file.setTimes(accessed: FileTime(77, 7), modified: FileTime(88, 8))
            try expect("mtime by descriptor", try FS.stat("f").modified, is: FileTime(88, 8), path: "f")
        },
        .init("times-omitted", "utimensat(2): UTIME_OMIT") { _ in
            try FS.create("f")
            try FS.setTimes("f", accessed: FileTime(1000, 1), modified: FileTime(2000, 2))
            try FS.setTimes("f", accessed: nil, modified: FileTime(3000, 3))
            try expect("atime that was to stay", try FS.stat("f").accessed, is: FileTime(1000, 1), path: "f")
            try FS.setTimes("f", accessed: FileTime(4000, 4), modified: nil)
            let attributes = try FS.stat("f")
            try expect("mtime that was to stay", attributes.modified, is: FileTime(3000, 3), path: "f")
            try expect("atime", attributes.accessed, is: FileTime(4000, 4), path: "f")
        },
        .init("times-now", "utimensat(2): UTIME_NOW") { _ in
            try FS.create("f")
            try FS.setTimes("f", accessed: FileTime(1000), modified: FileTime(1000))
            let now = timespec(tv_sec: 0, tv_nsec: CBENCH_UTIME_NOW)
            try FS.setTimes("f", [now, now])
            let attributes = try FS.stat("f")
            try expect(
                "seconds since atime", FileTime.now.seconds - attributes.accessed.seconds, in: -2...60, path: "f")
            try expect(
                "seconds since mtime", FileTime.now.seconds - attributes.modified.seconds, in: -2...60, path: "f")
        },
        .init("times-far-away", "utimensat(2): before 1970 and after 2038") { context in
            try FS.create("f")
            for seconds: Int64 in [-1, -86_400, 1 << 31, (1 << 31) + 1_000_000, 1 << 33] {
                try FS.setTimes("f", accessed: FileTime(1), modified: FileTime(seconds, 5))
                var expected = FileTime(seconds, 5)
                if let source = context.source {
                    // Filesystems clamp to what they can hold: the mount must say what the source says.
                    expected = try FS.stat(source / "f").modified
                    try FS.create(source / "g")
                    try FS.setTimes(source / "g", accessed: FileTime(1), modified: FileTime(seconds, 5))
                    try expect("mtime in the source", expected, is: try FS.stat(source / "g").modified, path: "f")
                }
                try expect("mtime", try FS.stat("f").modified, is: expected, path: "f")
            }
        },
        .init("times-refused", "utimensat(2): EINVAL") { _ in
            try FS.create("f")
            try fails(.invalidArgument, what: "10^9 nanoseconds") {
                try FS.setTimes("f", [timespec(tv_sec: 1, tv_nsec: 1_000_000_000), timespec(tv_sec: 1, tv_nsec: 0)])
            }
            try fails(.noSuchFileOrDirectory, what: "times of nothing") {
                try FS.setTimes("x", accessed: FileTime(1), modified: nil)
            }
        },
        .init("write-changes-times", "write(2): st_mtime, st_ctime") { _ in
            try FS.create("f", "x")
            let file = try File("f", O_RDWR)
            let actions: [(String, () throws -> Void)] = [
                ("write", { try file.write("y", at: 0) }), ("truncate", { try file.truncate(100) }),
                ("append", { try File("f", O_WRONLY | O_APPEND).append([1]) }),
            ]
            for (name, action) in actions {
                try FS.setTimes("f", accessed: FileTime(1000), modified: FileTime(1000))
                let changed = try FS.stat("f").changed
                usleep(12_000)
                try action()
                let after = try FS.stat("f")
                try expect(
                    "seconds since \(name)", FileTime.now.seconds - after.modified.seconds, in: -2...60, path: "f")
                try expect(after.changed > changed, "ctime did not move by \(name)", path: "f")
            }
        },
        .init("attribute-changes-move-ctime", "chmod(2), chown(2), utimensat(2): st_ctime") { context in
            try FS.create("f")
            var last = try FS.stat("f")
            func moved(_ what: String) throws {
                let now = try FS.stat("f")
                try expect(now.changed > last.changed, "ctime did not move by \(what): \(last.changed)", path: "f")
                last = now
                usleep(12_000)
            }
            usleep(12_000)
            try FS.chmod("f", 0o600)
            try moved("chmod")
            let modified = last.modified
            try FS.chown("f", getuid(), getgid())
            try moved("chown")
            try expect("mtime after chmod and chown", last.modified, is: modified, path: "f")
            try FS.setTimes("f", accessed: FileTime(1000), modified: FileTime(1000))
            try moved("utimensat")
            try FS.rename("f", "g")
            try FS.rename("g", "f")
            let file = try File("f", O_RDWR)
            try file.sync()
            try expect("mtime after rename and fsync", try file.stat().modified, is: FileTime(1000), path: "f")
        },
        .init("reading-keeps-mtime", "read(2): no time but atime") { _ in
            try FS.create("f", "x")
            let before = try FS.stat("f")
            usleep(12_000)
            _ = try FS.contents("f")
            let after = try FS.stat("f")
            try expect("mtime", after.modified, is: before.modified, path: "f")
            try expect("ctime", after.changed, is: before.changed, path: "f")
        },
        .init("times-do-not-go-back", "stat(2): mtime of successive writes") { _ in
            let file = try File("f", O_RDWR | O_CREAT)
            var last = try file.stat().modified
            for step in 0..<200 {
                try file.write("\(step)", at: Int64(step))
                let now = try FS.stat("f").modified
                try expect(now >= last, "mtime went back from \(last) to \(now) in step \(step)", path: "f")
                last = now
            }
        },
        .init("creation-time", "statx(2): STATX_BTIME", needs: [.feature(.creationTime)]) { context in
            let before = FileTime(FileTime.now.seconds - 2)
            try FS.create("f")
            guard let created = try FS.stat("f").created else {
                throw CheckFailure("creation time", expected: "one", got: "none", path: "f")
            }
            try expect(created >= before, "creation time \(created) lies before \(before)", path: "f")
            usleep(12_000)
            try FS.create("f", "changed")
            try FS.chmod("f", 0o600)
            try FS.rename("f", "g")
            try expect("creation time after changes", try FS.stat("g").created, is: created, path: "g")
            if let source = context.source {
                try expect("creation time in the source", try FS.stat(source / "g").created, is: created, path: "g")
            }
        },
        .init("inode-numbers-are-stable", "stat(2): st_ino") { _ in
            var inodes: [Path: UInt64] = [:]
            for index in 0..<200 {
                let name = Path("f\(index)")
                try FS.create(name)
                inodes[name] = try FS.stat(name).inode
            }
            try expect("different inode numbers", Set(inodes.values).count, is: 200)
            for (name, inode) in inodes {
                try expect("inode", try FS.stat(name).inode, is: inode, path: name)
                try expect("inode, asked past the cache", try FS.stat(name, fresh: true).inode, is: inode, path: name)
            }
            for name in inodes.keys {
                try expect("inode by descriptor", try File(name, O_RDONLY).stat().inode, is: inodes[name], path: name)
            }
        },
        .init("one-device-number", "stat(2): st_dev") { _ in
            try FS.create("f")
            try FS.mkdir("d")
            try FS.symlink("f", "s")
            let here = try FS.stat(".").filesystem
            for name: Path in ["f", "d", "s"] {
                let there = try FS.stat(name).filesystem
                try expect("device", [there.major, there.minor], is: [here.major, here.minor], path: name)
            }
        },
        .init("size-is-right-at-once", "stat(2): st_size after write(2)") { _ in
            let file = try File("f", O_RDWR | O_CREAT)
            var size: UInt64 = 0
            for step in 1...100 {
                try file.append([UInt8](repeating: 1, count: step * 37))
                size += UInt64(step * 37)
                try expect("size by path", try FS.stat("f").size, is: size, path: "f")
                try expect("size by descriptor", try file.stat().size, is: size, path: "f")
            }
        },
        .init("blocks-follow-size", "stat(2): st_blocks") { _ in
            let file = try File("f", O_RDWR | O_CREAT)
            try file.write([UInt8](repeating: 1, count: 1 << 20), at: 0)
            try file.sync()
            try expect("allocated bytes", try FS.stat("f").blocks * 512, in: (1 << 20)...(4 << 20), path: "f")
            try file.truncate(0)
            try file.sync()
            try expect("allocated bytes after truncate", try FS.stat("f").blocks * 512, in: 0...65_536, path: "f")
        },
        .init("source-says-the-same", "stat(2)", needs: [.source]) { context in
            try FS.create("f", [UInt8](repeating: 1, count: 5000), mode: 0o640)
            try File("f", O_RDWR).sync()
            try FS.mkdir("d")
            try FS.symlink("f", "s")
            for name: Path in ["f", "d", "s"] {
                let here = try FS.stat(name)
                let there = try FS.stat(try context.behind(name))
                try expect("mode", here.mode, is: there.mode, path: name)
                try expect("type", here.kind, is: there.kind, path: name)
                try expect("size", here.size, is: there.size, path: name)
                try expect("links", here.links, is: there.links, path: name)
                try expect("owner", here.owner, is: there.owner, path: name)
                // A kernel that writes back and stamps a file twice within a tick of its clock keeps that to itself.
                if context.traits.writesBack && name == "f" { continue }
                try expect("mtime", here.modified, is: there.modified, path: name)
            }
        },
        .init("inode-flags", "ioctl_iflags(2)", needs: [.feature(.inodeFlags)]) { _ in
            try FS.create("f")
            let file = try File("f", O_RDWR)
            var flags: UInt32 = 0
            try file.ioctl("FS_IOC_GETFLAGS", CBENCH_FS_IOC_GETFLAGS, &flags)
            var changed = flags | CBENCH_FS_NODUMP_FL
            try file.ioctl("FS_IOC_SETFLAGS", CBENCH_FS_IOC_SETFLAGS, &changed)
            var read: UInt32 = 0
            try file.ioctl("FS_IOC_GETFLAGS", CBENCH_FS_IOC_GETFLAGS, &read)
            try expect("flags", read & CBENCH_FS_NODUMP_FL, is: CBENCH_FS_NODUMP_FL, path: "f")
        },
        .init(
            "immutable-and-append-only", "ioctl_iflags(2): FS_IMMUTABLE_FL, FS_APPEND_FL",
            needs: [.root, .feature(.inodeFlags)]
        ) { _ in
            try FS.create("f", "x")
            let handle = try File("f", O_RDONLY)
            func set(_ flag: UInt32) throws {
                var flags: UInt32 = 0
                try handle.ioctl("FS_IOC_GETFLAGS", CBENCH_FS_IOC_GETFLAGS, &flags)
                flags = flags & ~(CBENCH_FS_IMMUTABLE_FL | CBENCH_FS_APPEND_FL) | flag
                try handle.ioctl("FS_IOC_SETFLAGS", CBENCH_FS_IOC_SETFLAGS, &flags)
            }
            do {
                try set(CBENCH_FS_IMMUTABLE_FL)
            } catch let error as CallError where error.errno == .notSupported || error.errno == .invalidArgument {
                throw CheckSkipped("the filesystem has no immutable files")
            }
            defer { try? set(0) }
            try fails(.notPermitted, what: "open of an immutable file for writing") { try File("f", O_WRONLY) }
            try fails(.notPermitted, what: "unlink of an immutable file") { try FS.unlink("f") }
            try fails(.notPermitted, what: "chmod of an immutable file") { try FS.chmod("f", 0o600) }
            try set(CBENCH_FS_APPEND_FL)
            try fails(.notPermitted, what: "open of an append-only file for overwriting") { try File("f", O_WRONLY) }
            try File("f", O_WRONLY | O_APPEND).append([0x79])
            try set(0)
            try expect(data: try FS.contents("f"), is: [0x78, 0x79], "content", path: "f")
        },
        .init("unknown-ioctl", "ioctl(2): ENOTTY") { _ in
            try FS.create("f")
            let file = try File("f", O_RDWR)
            var value: UInt64 = 0
            try fails(.inappropriateIOCTLForDevice, what: "unknown ioctl") {
                try file.ioctl("ioctl", 0x8008_7aff, &value)
            }
        },
        .init("poll-of-a-file", "poll(2): regular files are always ready") { _ in
            try FS.create("f", "x")
            let file = try File("f", O_RDWR)
            var entry = pollfd(fd: file.descriptor, events: Int16(POLLIN | POLLOUT), revents: 0)
            try expect("ready descriptors", poll(&entry, 1, 1000), is: 1, path: "f")
            try expect("events", entry.revents, is: Int16(POLLIN | POLLOUT), path: "f")
        },
    ])
