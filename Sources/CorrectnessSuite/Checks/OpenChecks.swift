import BenchCore
import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// Opening, creating and special files.
let openChecks = CheckGroup(
    "open",
    [
        .init("create-then-exists", "open(2): O_CREAT") { _ in
            try FS.create("f", "text")
            let attributes = try FS.stat("f")
            try expect("type", attributes.kind, is: .regular, path: "f")
            try expect("size", attributes.size, is: 4, path: "f")
            try expect("links", attributes.links, is: 1, path: "f")
            try expect(data: try FS.contents("f"), is: Array("text".utf8), "content", path: "f")
        },
        .init("create-exclusive", "open(2): O_EXCL, EEXIST") { _ in
            _ = try File("f", O_WRONLY | O_CREAT | O_EXCL)
            try fails(.fileExists, what: "exclusive create of a file that exists") {
                try File("f", O_WRONLY | O_CREAT | O_EXCL)
            }
            try FS.symlink("nowhere", "s")
            try fails(.fileExists, what: "exclusive create over a dangling link") {
                try File("s", O_WRONLY | O_CREAT | O_EXCL)
            }
            try FS.mkdir("d")
            try fails(.fileExists, what: "exclusive create over a directory") {
                try File("d", O_WRONLY | O_CREAT | O_EXCL)
            }
        },
        .init("create-through-dangling-link", "open(2): O_CREAT follows links") { _ in
            try FS.symlink("target", "s")
            try FS.create("s", "x")
            try expect(data: try FS.contents("target"), is: [0x78], "the link's target", path: "target")
        },
        .init("open-missing", "open(2): ENOENT") { _ in
            try fails(.noSuchFileOrDirectory, what: "open of a missing file") { try File("f", O_RDONLY) }
            try fails(.noSuchFileOrDirectory, what: "create in a missing directory") {
                try File("d/f", O_WRONLY | O_CREAT)
            }
            try FS.create("f")
            try fails(.notDirectory, what: "open below a file") { try File("f/g", O_RDONLY) }
            try fails(.noSuchFileOrDirectory, what: "open of an empty path") { try File("", O_RDONLY) }
        },
        .init("open-directory", "open(2): EISDIR, ENOTDIR") { _ in
            try FS.mkdir("d")
            try FS.create("f")
            try fails(.isDirectory, what: "open of a directory for writing") { try File("d", O_WRONLY) }
            try fails(.isDirectory, what: "create over a directory") { try File("d", O_RDONLY | O_CREAT) }
            try fails(.notDirectory, what: "O_DIRECTORY on a file") { try File("f", O_RDONLY | O_DIRECTORY) }
            let directory = try File("d", O_RDONLY)
            try fails(.isDirectory, what: "read of a directory") { try directory.read(1, at: 0) }
        },
        .init("open-nofollow", "open(2): O_NOFOLLOW, ELOOP") { _ in
            try FS.create("f")
            try FS.symlink("f", "s")
            try fails(.tooManySymbolicLinkLevels, what: "O_NOFOLLOW on a link") { try File("s", O_RDONLY | O_NOFOLLOW) }
            _ = try File("f", O_RDONLY | O_NOFOLLOW)
        },
        .init("open-truncates", "open(2): O_TRUNC") { _ in
            try FS.create("f", "0123456789")
            let before = try FS.stat("f")
            _ = try File("f", O_WRONLY | O_TRUNC)
            let after = try FS.stat("f")
            try expect("size after O_TRUNC", after.size, is: 0, path: "f")
            try expect("inode after O_TRUNC", after.inode, is: before.inode, path: "f")
            try expect(data: try FS.contents("f"), is: [], "content after O_TRUNC", path: "f")
        },
        .init("open-modes", "read(2), write(2): EBADF") { _ in
            try FS.create("f", "x")
            let reader = try File("f", O_RDONLY)
            let writer = try File("f", O_WRONLY)
            try fails(.badFileDescriptor, what: "write to a read-only descriptor") { try reader.write("y", at: 0) }
            try fails(.badFileDescriptor, what: "read from a write-only descriptor") { try writer.read(1, at: 0) }
            try fails(.invalidArgument, .badFileDescriptor, what: "truncate of a read-only descriptor") {
                try reader.truncate(0)
            }
        },
        .init("open-path-only", "open(2): O_PATH") { _ in
            try FS.create("f", "x")
            let file = try File("f", CLINUX_O_PATH)
            try expect("size through O_PATH", try file.stat().size, is: 1, path: "f")
            try fails(.badFileDescriptor, what: "read through O_PATH") { try file.read(1, at: 0) }
        },
        .init("create-mode-and-umask", "open(2), umask(2)") { _ in
            let saved = umask(0o027)
            defer { umask(saved) }
            try FS.create("f", mode: 0o666)
            try FS.mkdir("d", 0o777)
            try FS.mknod("p", .fifo, 0o666)
            try expect("mode of a file", try FS.stat("f").mode, is: 0o640, path: "f")
            try expect("mode of a directory", try FS.stat("d").mode, is: 0o750, path: "d")
            try expect("mode of a fifo", try FS.stat("p").mode, is: 0o640, path: "p")
        },
        .init("create-set-id-mode", "open(2): mode may hold set-id and sticky bits") { _ in
            try FS.create("f", mode: 0o6711)
            try expect("mode", try FS.stat("f").mode, is: 0o6711, path: "f")
            try FS.mkdir("d", 0o1777)
            let saved = umask(0)
            defer { umask(saved) }
            try FS.mkdir("e", 0o1777)
            try expect("mode", try FS.stat("e").mode, is: 0o1777, path: "e")
        },
        .init("creator-writes-unwritable", "open(2): the mode applies to future accesses only", needs: [.root]) {
            context in
            try FS.chmod(".", 0o777)
            try context.run(as: .alice) {
                let file = try File("f", O_RDWR | O_CREAT | O_EXCL, 0)
                try file.write("still", at: 0)
                try expect(data: try file.read(5, at: 0), is: Array("still".utf8), "content", path: "f")
                try fails(.permissionDenied, what: "second open of a file without permissions") {
                    try File("f", O_RDONLY)
                }
            }
        },
        .init("no-access-time-flag", "open(2): O_NOATIME, EPERM", needs: [.root]) { context in
            try FS.create("f", mode: 0o666)
            try FS.chmod("f", 0o666)
            try context.run(as: .alice) {
                try fails(.notPermitted, what: "O_NOATIME on another's file") {
                    try File("f", O_RDONLY | CLINUX_O_NOATIME)
                }
            }
        },
        .init("temporary-file", "open(2): O_TMPFILE", needs: [.feature(.temporaryFile)]) { _ in
            let file = try File(".", CLINUX_O_TMPFILE | O_RDWR, 0o600)
            try expect("links of a temporary file", try file.stat().links, is: 0)
            try expect("names in the directory", try FS.names(".").count, is: 0)
            try file.write("hidden", at: 0)
            try call("linkat") {
                linkat(AT_FDCWD, "/proc/self/fd/\(file.descriptor)", AT_FDCWD, "named", AT_SYMLINK_FOLLOW)
            }
            try expect("links once linked", try file.stat().links, is: 1, path: "named")
            try expect(data: try FS.contents("named"), is: Array("hidden".utf8), "content", path: "named")
            try expect("inode", try FS.stat("named").inode, is: try file.stat().inode, path: "named")
        },
        .init("temporary-file-stays-nameless", "open(2): O_TMPFILE with O_EXCL", needs: [.feature(.temporaryFile)]) {
            _ in
            let file = try File(".", CLINUX_O_TMPFILE | O_RDWR | O_EXCL, 0o600)
            try fails(.noSuchFileOrDirectory, what: "link of an O_EXCL temporary file") {
                try call("linkat") {
                    linkat(AT_FDCWD, "/proc/self/fd/\(file.descriptor)", AT_FDCWD, "named", AT_SYMLINK_FOLLOW)
                }
            }
            try expect("mode", try file.stat().mode, is: 0o600)
        },
        .init("close-keeps-others-open", "close(2)") { _ in
            try FS.create("f", "x")
            let one = try File("f", O_RDWR)
            let other = try File("f", O_RDWR)
            try one.close()
            try other.write("y", at: 0)
            try expect(data: try other.read(1, at: 0), is: [0x79], "content", path: "f")
        },
        .init("many-open-files", "open(2)", deadline: 60) { _ in
            var files: [File] = []
            for index in 0..<500 {
                let file = try File(Path("f\(index)"), O_RDWR | O_CREAT | O_EXCL)
                try file.write("\(index)", at: 0)
                files.append(file)
            }
            for (index, file) in files.enumerated() {
                try expect(data: try file.readAll(), is: Array("\(index)".utf8), "content", path: file.path)
            }
        },
        .init("fifo-carries-data", "mkfifo(3), fifo(7)") { _ in
            try FS.mknod("p", .fifo, 0o644)
            try expect("type", try FS.stat("p").kind, is: .fifo, path: "p")
            let writer = try Child("writer") { try File("p", O_WRONLY).append(Array("through".utf8)) }
            let reader = try File("p", O_RDONLY)
            var got: [UInt8] = []
            while case let part = try reader.read(64), !part.isEmpty { got += part }
            try writer.join()
            try expect(data: got, is: Array("through".utf8), "read from the fifo", path: "p")
        },
        .init("socket-node", "unix(7): a bound socket is a node") { _ in
            try FS.mknod("s", .socket, 0o600)
            let attributes = try FS.stat("s")
            try expect("type", attributes.kind, is: .socket, path: "s")
            try expect("mode", attributes.mode, is: 0o600, path: "s")
            try fails(.noSuchAddressOrDevice, what: "open of a socket") { try File("s", O_RDONLY) }
        },
        .init("device-nodes", "mknod(2): device numbers", needs: [.root, .feature(.deviceNodes)]) { _ in
            try FS.mknod("c", .characterDevice, 0o600, device: (1, 3))
            try FS.mknod("b", .blockDevice, 0o600, device: (259, 70000))
            let character = try FS.stat("c")
            let block = try FS.stat("b")
            try expect("type", character.kind, is: .characterDevice, path: "c")
            try expect("major", character.device.major, is: 1, path: "c")
            try expect("minor", character.device.minor, is: 3, path: "c")
            try expect("type", block.kind, is: .blockDevice, path: "b")
            try expect("major", block.device.major, is: 259, path: "b")
            try expect("minor", block.device.minor, is: 70000, path: "b")
        },
        .init("device-node-needs-privilege", "mknod(2): EPERM", needs: [.root]) { context in
            try FS.chmod(".", 0o777)
            try context.run(as: .alice) {
                try fails(.notPermitted, what: "device node as a user") {
                    try FS.mknod("c", .characterDevice, device: (1, 3))
                }
                try FS.mknod("p", .fifo)
                try FS.mknod("f", .regular)
            }
            try expect("owner of a fifo", try FS.stat("p").owner, is: Credentials.alice.user, path: "p")
            try expect("owner of a file", try FS.stat("f").owner, is: Credentials.alice.user, path: "f")
        },
        .init("mknod-exists", "mknod(2): EEXIST") { _ in
            try FS.mknod("f", .regular, 0o640)
            try expect("type", try FS.stat("f").kind, is: .regular, path: "f")
            try expect("mode", try FS.stat("f").mode, is: 0o640, path: "f")
            try fails(.fileExists, what: "mknod over a file") { try FS.mknod("f", .fifo) }
        },
        .init("program-runs", "execve(2), mmap(2)") { _ in
            try FS.create("program", try FS.contents("/bin/true"), mode: 0o755)
            let child = try Child("program") {
                _ = ["program"].withCStrings { execv("./program", $0) }
                throw CallError(call: "execv", path: "program", errno: .last)
            }
            try child.join()
        },
        .init("running-program-is-busy", "execve(2): ETXTBSY") { _ in
            try FS.create("program", try FS.contents("/bin/true"), mode: 0o755)
            let writer = try File("program", O_WRONLY)
            defer { withExtendedLifetime(writer) {} }
            let child = try Child("program") {
                _ = ["program"].withCStrings { execv("./program", $0) }
                throw CallError(call: "execv", path: "program", errno: .last)
            }
            do {
                try child.join()
            } catch let failure as CheckFailure where failure.description.contains("ETXTBSY") {
                return
            }
            throw CheckFailure(
                "execve of a file that is open for writing", expected: "ETXTBSY", got: "success", path: "program")
        },
    ])

extension [String] {
    /// Calls `body` with a NULL-terminated array of C strings.
    func withCStrings<Result, Failure: Error>(
        _ body: ([UnsafeMutablePointer<CChar>?]) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let copies = map { strdup($0) }
        defer { copies.forEach { free($0) } }
        return try body(copies + [nil])
    }
}
