import BenchCore
import CBench
import Glibc
import LinuxSystem
import SystemPackage

/// What users may do, and who owns what they make.
let permissionChecks = CheckGroup(
    "permissions",
    [
        .init("owner-group-other", "path_resolution(7): the class decides", needs: [.root]) { context in
            try FS.create("f", "x")
            // Who is asked: the owner, a member of the group, anybody else.
            try FS.chown("f", Credentials.alice.user, Credentials.team)
            let classes: [(Credentials, Int)] = [(.alice, 6), (.carol, 3), (.bob, 0)]
            for mode: mode_t in [0o400, 0o200, 0o040, 0o020, 0o004, 0o002, 0o066, 0o606, 0o660, 0o000, 0o666] {
                try FS.chmod("f", mode)
                for (who, shift) in classes {
                    let bits = Int(mode) >> shift & 7
                    try context.run(as: who) {
                        try outcome(of: "read with mode 0\(String(mode, radix: 8))", allowed: bits & 4 != 0) {
                            try File("f", O_RDONLY)
                        }
                        try outcome(of: "write with mode 0\(String(mode, radix: 8))", allowed: bits & 2 != 0) {
                            try File("f", O_WRONLY)
                        }
                    }
                }
            }
        },
        .init("directory-permissions", "path_resolution(7): search, read and write", needs: [.root]) { context in
            try FS.mkdir("d")
            try FS.create("d/f", "x", mode: 0o666)
            try FS.chmod("d/f", 0o666)
            for mode: mode_t in [0, 1, 2, 3, 4, 5, 6, 7] {
                try FS.chmod("d", 0o700 | mode)
                try context.run(as: .bob) {
                    let text = "0\(String(0o700 | mode, radix: 8))"
                    try outcome(of: "search in a directory with \(text)", allowed: mode & 1 != 0) { try FS.stat("d/f") }
                    try outcome(of: "list a directory with \(text)", allowed: mode & 4 != 0) { try FS.names("d") }
                    try outcome(of: "create in a directory with \(text)", allowed: mode & 3 == 3) {
                        try FS.create("d/new")
                    }
                    try outcome(of: "mkdir in a directory with \(text)", allowed: mode & 3 == 3) {
                        try FS.mkdir("d/sub")
                    }
                    try outcome(of: "link in a directory with \(text)", allowed: mode & 3 == 3) {
                        try FS.symlink("f", "d/link")
                    }
                }
                for name: Path in ["d/new", "d/link"] { _ = try? FS.unlink(name) }
                _ = try? FS.rmdir("d/sub")
            }
        },
        .init("removal-needs-the-directory", "unlink(2), rename(2): EACCES", needs: [.root]) { context in
            try FS.mkdir("d", 0o755)
            try FS.mkdir("open")
            try FS.chmod("open", 0o777)
            try FS.create("d/f", mode: 0o666)
            try FS.chmod("d/f", 0o666)
            try FS.mkdir("d/sub")
            try context.run(as: .bob) {
                try fails(.permissionDenied, what: "unlink") { try FS.unlink("d/f") }
                try fails(.permissionDenied, what: "rmdir") { try FS.rmdir("d/sub") }
                try fails(.permissionDenied, what: "rename within") { try FS.rename("d/f", "d/g") }
                try fails(.permissionDenied, what: "rename out") { try FS.rename("d/f", "open/g") }
                try FS.create("open/mine")
                try fails(.permissionDenied, what: "rename in") { try FS.rename("open/mine", "d/mine") }
                try fails(.permissionDenied, what: "link in") { try FS.link("open/mine", "d/mine") }
            }
            try expect("names", Set(try FS.names("d")), is: ["f", "sub"])
        },
        .init("sticky-directory", "chmod(2): S_ISVTX, EPERM", needs: [.root]) { context in
            try FS.mkdir("t")
            try FS.chmod("t", 0o1777)
            try context.run(as: .alice) {
                try FS.create("t/f", "x")
                try FS.chmod("t/f", 0o666)
                try FS.mkdir("t/d")
            }
            try context.run(as: .bob) {
                try fails(.notPermitted, .permissionDenied, what: "unlink of another's file") { try FS.unlink("t/f") }
                try fails(.notPermitted, .permissionDenied, what: "rmdir of another's directory") {
                    try FS.rmdir("t/d")
                }
                try fails(.notPermitted, .permissionDenied, what: "rename of another's file") {
                    try FS.rename("t/f", "t/g")
                }
                try FS.create("t/mine")
                try fails(.notPermitted, .permissionDenied, what: "rename over another's file") {
                    try FS.rename("t/mine", "t/f")
                }
                try FS.unlink("t/mine")
            }
            try context.run(as: .alice) {
                try FS.rename("t/f", "t/g")
                try FS.unlink("t/g")
                try FS.rmdir("t/d")
            }
        },
        .init("created-as-the-caller", "open(2): owner is the filesystem uid", needs: [.root]) { context in
            try FS.chmod(".", 0o777)
            try context.run(as: .alice) {
                try FS.create("f")
                try FS.mkdir("d")
                try FS.symlink("f", "s")
                try FS.mknod("p", .fifo)
                try FS.link("f", "l")
            }
            for name: Path in ["f", "d", "s", "p", "l"] {
                let attributes = try FS.stat(name)
                try expect("owner", attributes.owner, is: Credentials.alice.user, path: name)
                try expect("group", attributes.group, is: Credentials.alice.group, path: name)
                if let source = context.source {
                    try expect(
                        "owner in the source", try FS.stat(source / name).owner, is: Credentials.alice.user, path: name)
                }
            }
        },
        .init(
            "never-seen-with-the-wrong-owner", "open(2): owner from the first moment on", needs: [.root, .source],
            deadline: 60
        ) { context in
            try FS.chmod(".", 0o777)
            let source = try context.behind()
            let stop = try SharedMemory(4096)
            let watcher = try Child("watcher") {
                while stop.bytes[0] == 0 {
                    for name in try FS.names(source) {
                        guard let seen = try? FS.stat(source / name) else { continue }
                        try expect(
                            "owner of a file that was just made", seen.owner, is: Credentials.alice.user, path: name)
                        try expect(
                            "group of a file that was just made", seen.group, is: Credentials.alice.group, path: name)
                    }
                }
            }
            try context.run(as: .alice) {
                for round in 0..<150 {
                    try FS.create(Path("f\(round)"), mode: 0o666)
                    try FS.mkdir(Path("d\(round)"))
                    try FS.symlink("x", Path("s\(round)"))
                    try FS.mknod(Path("p\(round)"), .fifo)
                    for kind in ["f", "s", "p"] { try FS.unlink(Path("\(kind)\(round)")) }
                    try FS.rmdir(Path("d\(round)"))
                }
            }
            stop.bytes[0] = 1
            try watcher.join()
        },
        .init("set-group-id-directory", "mkdir(2): the group is inherited", needs: [.root]) { context in
            try FS.mkdir("d")
            try FS.chown("d", nil, Credentials.team)
            try FS.chmod("d", 0o2777)
            try context.run(as: .bob) {
                try FS.create("d/f")
                try FS.mkdir("d/sub")
                try FS.create("d/sub/g")
                try FS.symlink("f", "d/s")
            }
            for name: Path in ["d/f", "d/sub", "d/sub/g", "d/s"] {
                try expect("group", try FS.stat(name).group, is: Credentials.team, path: name)
                try expect("owner", try FS.stat(name).owner, is: Credentials.bob.user, path: name)
            }
            try expect(
                "set-group-id of the subdirectory", try FS.stat("d/sub").mode & 0o2000, is: 0o2000, path: "d/sub")
            try expect("set-group-id of the file", try FS.stat("d/f").mode & 0o2000, is: 0, path: "d/f")
        },
        .init(
            "set-group-id-for-members-only", "open(2), inode_init_owner: no set-group-id by strangers", needs: [.root]
        ) { context in
            try FS.mkdir("d")
            try FS.chown("d", nil, Credentials.team)
            try FS.chmod("d", 0o2777)
            try context.run(as: .bob) {
                umask(0)
                try FS.create("d/stranger", mode: 0o2775)
            }
            try context.run(as: .carol) {
                umask(0)
                try FS.create("d/member", mode: 0o2775)
            }
            try expect("mode of a stranger's file", try FS.stat("d/stranger").mode, is: 0o775, path: "d/stranger")
            try expect("mode of a member's file", try FS.stat("d/member").mode, is: 0o2775, path: "d/member")
        },
        .init("supplementary-groups", "credentials(7)", needs: [.root]) { context in
            try FS.mkdir("d")
            try FS.chown("d", nil, Credentials.team)
            try FS.chmod("d", 0o770)
            try FS.create("d/f", "x")
            try FS.chown("d/f", nil, Credentials.team)
            try FS.chmod("d/f", 0o660)
            try context.run(as: .carol) {
                try FS.create("d/new")
                try File("d/f", O_RDWR).write("y", at: 0)
                try FS.rename("d/new", "d/newer")
                try FS.unlink("d/newer")
            }
            try context.run(as: .bob) {
                try fails(.permissionDenied, what: "a stranger") { try File("d/f", O_RDONLY) }
            }
        },
        .init("chmod-by-others", "chmod(2): EPERM", needs: [.root]) { context in
            try FS.create("f")
            try FS.chown("f", Credentials.alice.user, Credentials.team)
            try FS.chmod("f", 0o666)
            try context.run(as: .bob) {
                try fails(.notPermitted, what: "chmod of another's file") { try FS.chmod("f", 0o777) }
            }
            try context.run(as: .alice) { try FS.chmod("f", 0o600) }
            try context.run(as: .bob.with(capability: CBENCH_CAP_FOWNER)) { try FS.chmod("f", 0o640) }
            try expect("mode", try FS.stat("f").mode, is: 0o640, path: "f")
        },
        .init("chmod-drops-set-group-id", "chmod(2): not in the group", needs: [.root]) { context in
            try FS.create("f")
            try FS.chown("f", Credentials.alice.user, Credentials.bob.group)
            try context.run(as: .alice) { try FS.chmod("f", 0o2755) }
            try expect("mode set by one who is not in the group", try FS.stat("f").mode, is: 0o755, path: "f")
            try FS.chown("f", Credentials.alice.user, Credentials.team)
            try context.run(as: .alice) { try FS.chmod("f", 0o2755) }
            try expect("mode set by a member", try FS.stat("f").mode, is: 0o2755, path: "f")
        },
        .init("chown-by-users", "chown(2): EPERM", needs: [.root]) { context in
            try FS.create("f")
            try FS.chown("f", Credentials.alice.user, Credentials.alice.group)
            try context.run(as: .alice) {
                try fails(.notPermitted, what: "giving a file away") { try FS.chown("f", Credentials.bob.user) }
                try FS.chown("f", nil, Credentials.team)
                try fails(.notPermitted, what: "a group one is not in") {
                    try FS.chown("f", nil, Credentials.bob.group)
                }
            }
            try expect("group", try FS.stat("f").group, is: Credentials.team, path: "f")
            try context.run(as: .bob) {
                try fails(.notPermitted, what: "chown of another's file") {
                    try FS.chown("f", nil, Credentials.bob.group)
                }
            }
            try context.run(as: .bob.with(capability: CBENCH_CAP_CHOWN)) {
                try FS.chown("f", Credentials.bob.user, Credentials.bob.group)
            }
            try expect("owner", try FS.stat("f").owner, is: Credentials.bob.user, path: "f")
        },
        .init("chown-drops-set-id", "chown(2): set-id bits of programs", needs: [.root]) { context in
            try FS.create("f")
            try FS.chown("f", Credentials.alice.user, Credentials.alice.group)
            try FS.chmod("f", 0o6755)
            try context.run(as: .alice) { try FS.chown("f", nil, Credentials.team) }
            try expect("mode after a user's chown", try FS.stat("f").mode, is: 0o755, path: "f")
            try FS.chmod("f", 0o6755)
            try FS.chown("f", 5, 5)
            try expect("mode after root's chown", try FS.stat("f").mode, is: 0o755, path: "f")
            // Not a program's: the bit stays for those who are in the group that the file was of.
            try FS.chown("f", Credentials.alice.user, Credentials.team)
            try FS.chmod("f", 0o2766)
            try context.run(as: .alice) { try FS.chown("f", nil, Credentials.alice.group) }
            try expect("mode after a member's chown", try FS.stat("f").mode, is: 0o2766, path: "f")
            try FS.chown("f", Credentials.alice.user, Credentials.bob.group)
            try FS.chmod("f", 0o2766)
            try context.run(as: .alice) { try FS.chown("f", nil, Credentials.team) }
            try expect("mode after a stranger's chown", try FS.stat("f").mode, is: 0o766, path: "f")
        },
        .init("write-drops-set-id", "write(2): set-id bits", needs: [.root]) { context in
            let actions: [(String, () throws -> Void)] = [
                ("write", { try File("f", O_WRONLY).write("x", at: 0) }),
                ("truncate", { try FS.truncate("f", 10) }),
                ("open with O_TRUNC", { _ = try File("f", O_WRONLY | O_TRUNC) }),
            ]
            for (name, action) in actions {
                try FS.create("f", "some text")
                try FS.chmod("f", 0o6777)
                try context.run(as: .bob, action)
                try expect("mode after \(name)", try FS.stat("f").mode, is: 0o777, path: "f")
                try expect(
                    "mode after \(name), by descriptor", try File("f", O_RDONLY).stat().mode, is: 0o777, path: "f")
            }
            try FS.chmod("f", 0o2767)
            try context.run(as: .bob) { try File("f", O_WRONLY).write("x", at: 0) }
            let kept = try FS.stat("f").mode
            try expect(
                kept == 0o2767 || kept == 0o767, "mode after write without group execution is \(kept)", path: "f")
            try FS.chmod("f", 0o6777)
            try File("f", O_WRONLY).write("x", at: 0)
            try expect("mode after root's write", try FS.stat("f").mode, is: 0o6777, path: "f")
        },
        .init("allocate-drops-set-id", "fallocate(2): set-id bits", needs: [.root, .feature(.allocation)]) { context in
            try FS.create("f", "x")
            try FS.chmod("f", 0o6777)
            try context.run(as: .bob) { try File("f", O_WRONLY).allocate(0, 0, 10_000) }
            try expect("mode after fallocate", try FS.stat("f").mode, is: 0o777, path: "f")
        },
        .init(
            "write-drops-capabilities", "capabilities(7): file capabilities", needs: [.root, .feature(.userAttributes)]
        ) { context in
            try FS.create("f", "x")
            try FS.chmod("f", 0o777)
            // VFS_CAP_REVISION_2, effective, CAP_NET_RAW permitted.
            let value: [UInt8] = [1, 0, 0, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
            try FS.setxattr("f", "security.capability", value)
            try expect(data: try FS.getxattr("f", "security.capability"), is: value, "capabilities", path: "f")
            try context.run(as: .bob) { try File("f", O_WRONLY).write("y", at: 0) }
            try fails(.noData, what: "capabilities after another's write") {
                try FS.getxattr("f", "security.capability")
            }
        },
        .init("times-by-others", "utimensat(2): EPERM, EACCES", needs: [.root]) { context in
            try FS.create("f", "x")
            try FS.chmod("f", 0o666)
            let now = timespec(tv_sec: 0, tv_nsec: CBENCH_UTIME_NOW)
            try context.run(as: .bob) {
                try fails(.notPermitted, what: "setting times of another's file") {
                    try FS.setTimes("f", accessed: FileTime(1), modified: FileTime(1))
                }
                try FS.setTimes("f", [now, now])
            }
            try FS.chmod("f", 0o644)
            try context.run(as: .bob) {
                try fails(.permissionDenied, what: "touching a file that one may not write") {
                    try FS.setTimes("f", [now, now])
                }
            }
        },
        .init("truncate-needs-write", "truncate(2): EACCES", needs: [.root]) { context in
            try FS.create("f", "text", mode: 0o644)
            try context.run(as: .bob) {
                try fails(.permissionDenied, what: "truncate") { try FS.truncate("f", 0) }
                try fails(.permissionDenied, what: "open with O_TRUNC") { try File("f", O_RDONLY | O_TRUNC) }
            }
            try expect("size", try FS.stat("f").size, is: 4, path: "f")
        },
        .init("access-asks-for-real-ids", "access(2)", needs: [.root]) { context in
            try FS.create("f", mode: 0o640)
            try FS.chown("f", Credentials.alice.user, Credentials.team)
            try context.run(as: .alice) { try FS.access("f", R_OK | W_OK) }
            try context.run(as: .carol) {
                try FS.access("f", R_OK)
                try fails(.permissionDenied, what: "W_OK for a member") { try FS.access("f", W_OK) }
            }
            try context.run(as: .bob) {
                try FS.access("f", F_OK)
                try fails(.permissionDenied, what: "R_OK for a stranger") { try FS.access("f", R_OK) }
            }
            try FS.access("f", R_OK | W_OK)
            try fails(.permissionDenied, what: "X_OK for root without any x") { try FS.access("f", X_OK) }
            try fails(.noSuchFileOrDirectory, what: "F_OK of nothing") { try FS.access("x", F_OK) }
        },
        .init("capability-overrides", "capabilities(7): CAP_DAC_OVERRIDE", needs: [.root]) { context in
            try FS.create("f", "x", mode: 0o600)
            try FS.mkdir("d", 0o700)
            try context.run(as: .bob) {
                try fails(.permissionDenied, what: "without the capability") { try File("f", O_RDWR) }
                try fails(.permissionDenied, what: "without the capability") { try FS.create("d/f") }
            }
            try context.run(as: .bob.with(capability: CBENCH_CAP_DAC_OVERRIDE)) {
                try File("f", O_RDWR).write("y", at: 0)
                try FS.create("d/f")
            }
            try expect("owner of what it made", try FS.stat("d/f").owner, is: Credentials.bob.user, path: "d/f")
        },
        .init("program-needs-execute", "execve(2): EACCES", needs: [.root]) { _ in
            try FS.create("program", try FS.contents("/bin/true"), mode: 0o644)
            let child = try Child("program") {
                _ = ["program"].withCStrings { execv("./program", $0) }
                throw CallError(call: "execv", path: "program", errno: .last)
            }
            do {
                try child.join()
            } catch let failure as CheckFailure where failure.description.contains("EACCES") {
                return
            }
            throw CheckFailure("execve without execute permission", expected: "EACCES", got: "success", path: "program")
        },
        .init("descriptor-keeps-its-rights", "open(2): permissions are checked at open", needs: [.root]) { context in
            try FS.create("f", "x")
            try FS.chmod("f", 0o666)
            try context.requireOthers()
            let opened = try Gate()
            let closed = try Gate()
            let child = try Child("user", as: .bob) {
                let file = try File("f", O_RDWR)
                opened.open()
                try closed.pass()
                try file.write("y", at: 0)
                try expect(data: try file.read(1, at: 0), is: [0x79], "content", path: "f")
                try fails(.permissionDenied, what: "a new open") { try File("f", O_RDONLY) }
            }
            try child.reach(opened)
            try FS.chmod("f", 0o600)
            closed.open()
            try child.join()
        },
        .init("idmapped-mount", "mount_setattr(2): MOUNT_ATTR_IDMAP", needs: [.root]) { context in
            let target = Path("/tmp/.fstestkit-idmap-\(getpid())")
            try FS.mkdir(target)
            defer {
                _ = target.withCString { umount2($0, CInt(MNT_DETACH)) }
                _ = try? FS.rmdir(target)
            }
            try FS.create("f")
            try FS.chown("f", 60001, 60001)
            // An owner that the mapping does not know would keep everybody from writing.
            try FS.chown(".", 60001, 60001)
            try FS.chmod(".", 0o777)
            let mapped = ".".withCString { here in
                target.withCString { cbench_idmapped_mount(here, $0, 60000, 10000, 100) }
            }
            if mapped < 0 {
                let errno = Errno.last
                guard errno == .invalidArgument || errno == .notSupported || errno == .noFunction else {
                    throw CallError(call: "idmapped mount", path: ".", errno: errno)
                }
                throw CheckSkipped("no idmapped mounts of this filesystem (\(errno.name))")
            }
            try expect("owner through the idmapped mount", try FS.stat(target / "f").owner, is: 70001, path: "f")
            try context.run(as: Credentials(user: 70002, group: 70002)) { try FS.create(target / "g") }
            try expect("owner of what was made through it", try FS.stat("g").owner, is: 60002, path: "g")
            try expect("group of what was made through it", try FS.stat("g").group, is: 60002, path: "g")
        },
    ])

/// Fails unless `body` succeeds exactly if it is allowed, and else fails with EACCES.
private func outcome<Value>(of what: String, allowed: Bool, _ body: () throws -> Value) throws {
    if allowed {
        do {
            _ = try body()
        } catch let error as CallError {
            throw CheckFailure(what, expected: "success", got: error.errno.name, path: error.path)
        }
    } else {
        try fails(.permissionDenied, what: what, body)
    }
}
