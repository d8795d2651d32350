import BenchCore
import CBench
import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// A name or a file of the source becomes another one between what the kernel checked and what the daemon does. The daemon has
/// rights of its own, and must not lend them.
let behindChecks = CheckGroup(
    "behind",
    [
        .init(
            "made-behind-is-not-opened", "open(2): O_CREAT opens what is there by its permissions",
            needs: [.root, .source]
        ) { context in
            try FS.chmod(".", 0o777)
            try afterAbsence(of: ["private", "public", "exclusive"], context) { names in
                try FS.create(names[0], "not yours", mode: 0o600)
                try FS.create(names[1], "everybody's", mode: 0o644)
                try FS.create(names[2], "somebody's", mode: 0o666)
            } as: {
                try fails(.permissionDenied, what: "open of a private file that was made behind") {
                    try File("private", O_RDWR | O_CREAT)
                }
                try fails(.permissionDenied, what: "truncation of a private file that was made behind") {
                    try File("private", O_WRONLY | O_CREAT | O_TRUNC)
                }
                let file = try File("public", O_RDONLY | O_CREAT)
                try expect(data: try file.readAll(), is: Array("everybody's".utf8), "content", path: "public")
                try fails(.fileExists, what: "O_EXCL with a file that was made behind") {
                    try File("exclusive", O_RDWR | O_CREAT | O_EXCL)
                }
            }
            try expect(
                data: try FS.contents(try context.behind("private")), is: Array("not yours".utf8), "content",
                path: "private")
        },
        .init(
            "fifo-made-behind-blocks-nobody", "open(2): O_CREAT and FIFOs", needs: [.root, .source], deadline: 60
        ) { context in
            try FS.chmod(".", 0o777)
            let fifo = try context.behind("fifo")
            try FS.create("other", "served")
            let child = try Child("open") {
                try expect("exists before", try FS.exists("fifo"), is: false)
                try FS.mknod(fifo, .fifo, 0o666)
                // A FIFO that nobody reads: the client is told so, and the daemon does not wait for a reader.
                try fails(.noSuchAddressOrDevice, what: "open of a FIFO that was made behind") {
                    try File("fifo", O_WRONLY | O_CREAT | O_NONBLOCK)
                }
            }
            guard child.ends(within: 10) else {
                // Lets the daemon go on.
                let rescue = try File(fifo, O_RDWR | O_NONBLOCK)
                withExtendedLifetime(rescue) { _ = child.wait() }
                throw CheckFailure("the daemon waits for a reader of a FIFO that was made behind")
            }
            try child.join()
        },
        .init(
            "link-made-behind-is-the-clients", "open(2): O_CREAT follows links as the caller", needs: [.root, .source]
        ) { context in
            try FS.chmod(".", 0o777)
            try FS.create("private", "not yours", mode: 0o600)
            try afterAbsence(of: ["link", "directory"], context) { names in
                try FS.symlink("private", names[0])
                try FS.mkdir(names[1], 0o777)
            } as: {
                try fails(.permissionDenied, what: "open of a link to a private file that was made behind") {
                    try File("link", O_RDWR | O_CREAT)
                }
                try fails(.isDirectory, what: "open of a directory that was made behind") {
                    try File("directory", O_RDWR | O_CREAT)
                }
            }
        },
        .init(
            "sticky-entry-replaced-behind", "chmod(2): S_ISVTX, of the file that goes", needs: [.root, .source]
        ) { context in
            try context.requireOthers()
            try FS.mkdir("t")
            try FS.chmod("t", 0o1777)
            let names: [Path] = ["t/removed", "t/renamed", "t/replaced", "t/directory"]
            let looked = try Gate()
            let replaced = try Gate()
            let child = try Child("user", as: .alice) {
                for name in names.dropLast() { try FS.create(name, "mine") }
                try FS.mkdir("t/directory")
                try FS.create("t/other", "mine")
                for name in names { _ = try FS.stat(name) }
                looked.open()
                try replaced.pass()
                try fails(.notPermitted, what: "unlink of what has become another's") { try FS.unlink("t/removed") }
                try fails(.notPermitted, what: "rename of what has become another's") {
                    try FS.rename("t/renamed", "t/gone")
                }
                try fails(.notPermitted, what: "rename over what has become another's") {
                    try FS.rename("t/other", "t/replaced")
                }
                try fails(.notPermitted, what: "rmdir of what has become another's") { try FS.rmdir("t/directory") }
                // What is still one's own goes.
                try FS.rename("t/other", "t/mine")
                try FS.unlink("t/mine")
            }
            try child.reach(looked)
            for name in names.dropLast() {
                try FS.create(try context.behind("t/new"), "root's")
                try FS.rename(try context.behind("t/new"), try context.behind(name))
            }
            try FS.rmdir(try context.behind("t/directory"))
            try FS.mkdir(try context.behind("t/directory"))
            replaced.open()
            try child.join()
            for name in names.dropLast() {
                try expect(
                    data: try FS.contents(try context.behind(name)), is: Array("root's".utf8), "content", path: name)
            }
        },
        .init(
            "lease-behind-blocks-nobody-else", "fcntl(2): F_SETLEASE, of a process on the source",
            needs: [.root, .source], deadline: 90, isAlone: true
        ) { context in
            // Behind the mount: a daemon may hold what was made through it open for a while, and then there is no lease.
            try FS.create(try context.behind("f"), "leased")
            let leased = try File(try context.behind("f"), O_RDONLY)
            signal(SIGIO, SIG_IGN)
            let setLease: CInt = 1024
            do throws(CallError) {
                try call("F_SETLEASE", leased.path) { clinux_fcntl(leased.descriptor, setLease, Int(F_RDLCK)) }
            } catch {
                throw CheckSkipped("the source has no leases (\(error.errno.name))")
            }
            // All on one CPU, whose queue it is with a ring for each. Few enough for its entries: a request that waits keeps
            // its own.
            var cpu = clinux_cpu()
            clinux_place_thread(&cpu, 1)
            let waiting = try (0..<6).map { index in
                try Child("open \(index)") { try File("f", O_RDWR).write("x", at: 0) }
            }
            usleep(500_000)
            let other = try Child("others") {
                for round in 0..<20 {
                    try FS.create(Path("g\(round)"), "served")
                    try FS.unlink(Path("g\(round)"))
                }
            }
            // After 45 seconds (lease-break-time) the kernel takes it away by itself.
            let isServed = other.ends(within: min(15, Int(40 / Pace.inherited.factor)))
            let isKept = clinux_fcntl(leased.descriptor, setLease, Int(F_UNLCK)) == 0
            if isServed, !isKept { throw CheckSkipped("the machine is slower than the kernel's patience with a lease") }
            try expect(isServed, "nobody is served while an open waits for a lease to be given up")
            try other.join()
            for child in waiting { try child.join() }
        },
    ])

/// A user finds that there are no such names, then `make` makes them behind the mount, and the user does `body`.
private func afterAbsence(
    of names: [Path], _ context: CheckContext, make: ([Path]) throws -> Void, as body: () throws -> Void
) throws {
    try context.requireOthers()
    let looked = try Gate()
    let made = try Gate()
    let child = try Child("user", as: .bob) {
        for name in names { try expect("exists before", try FS.exists(name), is: false, path: name) }
        looked.open()
        try made.pass()
        try body()
    }
    try child.reach(looked)
    try make(try names.map(context.behind))
    made.open()
    try child.join()
}
