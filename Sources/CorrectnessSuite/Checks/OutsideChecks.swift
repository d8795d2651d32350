import BenchCore
import CBench
import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// Lookups of names that are there, in one check: a fault that strikes once in a third of that is seen with 95 %.
let manyNames = 3000

/// The directory behind the mount: changed behind its back, and looked at after a sync.
let outsideChecks = CheckGroup(
    "outside",
    [
        .init("content-changed-behind", "cache options: seen when attributes expire", needs: [.source]) { context in
            try context.requireLookingBehind()
            try FS.create("f", "old content")
            _ = try FS.contents("f")
            try context.letTheClockMove()
            try FS.create(try context.behind("f"), "new content, longer")
            try context.eventually("content of a file changed behind the mount") {
                try FS.contents("f") == Array("new content, longer".utf8)
            }
            try context.eventually("size of a file changed behind the mount") { try FS.stat("f").size == 19 }
        },
        .init("open-file-changed-behind", "cache options: seen when attributes expire", needs: [.source]) { context in
            try context.requireLookingBehind()
            try FS.create("f", [UInt8](repeating: 1, count: 10_000))
            let file = try File("f", O_RDONLY)
            _ = try file.readAll()
            try context.letTheClockMove()
            try File(try context.behind("f"), O_WRONLY).write([UInt8](repeating: 2, count: 20_000), at: 0)
            try context.eventually("content of an open file changed behind the mount") {
                _ = try file.stat()
                return try file.readAll() == [UInt8](repeating: 2, count: 20_000)
            }
        },
        .init("attributes-changed-behind", "cache options: seen when attributes expire", needs: [.source]) { context in
            try context.requireLookingBehind()
            try FS.create("f")
            _ = try FS.stat("f")
            try FS.chmod(try context.behind("f"), 0o601)
            try FS.setTimes(try context.behind("f"), accessed: FileTime(5, 5), modified: FileTime(6, 6))
            try context.eventually("mode of a file changed behind the mount") { try FS.stat("f").mode == 0o601 }
            try expect("mtime", try FS.stat("f").modified, is: FileTime(6, 6), path: "f")
        },
        .init("file-appears-behind", "cache options: seen when names expire", needs: [.source]) { context in
            try expect("exists before", try FS.exists("f"), is: false)
            try FS.create(try context.behind("f"), "here")
            try context.eventually("a file that appeared behind the mount") { try FS.exists("f") }
            try expect(data: try FS.contents("f"), is: Array("here".utf8), "content", path: "f")
            try context.eventually("its directory entry") { try FS.names(".").contains("f") }
        },
        .init(
            "many-files-appear-behind", "stat(2): each name is looked up for the first time", needs: [.source],
            deadline: 60
        ) { context in
            // Names that were made on the mount are known to the kernel: the daemon is seldom asked for one that is there.
            for number in 0..<manyNames { try FS.create(try context.behind(Path("f\(number)")), "\(number)") }
            for number in 0..<manyNames {
                let name = Path("f\(number)")
                try expect("size", try FS.stat(name).size, is: UInt64("\(number)".utf8.count), path: name)
            }
        },
        .init("file-disappears-behind", "cache options: seen when names expire", needs: [.source]) { context in
            try FS.create("f")
            _ = try FS.stat("f")
            try FS.unlink(try context.behind("f"))
            try context.eventually("a file that went behind the mount") { try !FS.exists("f") }
            try context.eventually("its directory entry") { try !FS.names(".").contains("f") }
            try FS.create("f", "again")
            try expect(data: try FS.contents(try context.behind("f")), is: Array("again".utf8), "content", path: "f")
        },
        .init("file-replaced-behind", "cache options: seen when names expire", needs: [.source]) { context in
            try FS.create("f", "old")
            let file = try File("f", O_RDONLY)
            try FS.create(try context.behind("new"), "replacement")
            try FS.rename(try context.behind("new"), try context.behind("f"))
            try context.eventually("a file replaced behind the mount") {
                try FS.contents("f") == Array("replacement".utf8)
            }
            try expect(data: try file.read(3, at: 0), is: Array("old".utf8), "the open file", path: "f")
        },
        .init("directory-renamed-behind", "cache options: seen when names expire", needs: [.source]) { context in
            try FS.mkdir("d")
            try FS.create("d/f", "x")
            _ = try FS.contents("d/f")
            try FS.rename(try context.behind("d"), try context.behind("e"))
            try context.eventually("a directory renamed behind the mount") { try FS.exists("e/f") }
            try context.eventually("its old name") { try !FS.exists("d") }
        },
        .init("kind-changed-behind", "cache options: seen when names expire", needs: [.source]) { context in
            try FS.create("x", "file")
            _ = try FS.stat("x")
            try FS.unlink(try context.behind("x"))
            try FS.mkdir(try context.behind("x"))
            try FS.create(try context.behind("x/y"), "inside")
            try context.eventually("a file that became a directory") {
                (try? FS.contents("x/y")) == Array("inside".utf8)
            }
            try expect("type", try FS.stat("x").kind, is: .directory, path: "x")
        },
        .init(
            "write-reaches-the-source", "write(2): without a writeback cache at once, else at close or sync",
            needs: [.source]
        ) { context in
            let file = try File("f", O_RDWR | O_CREAT)
            try file.write("through", at: 0)
            if context.traits.writesBack { try file.sync() }
            try expect(data: try FS.contents(try context.behind("f")), is: Array("through".utf8), "source", path: "f")
            try FS.mkdir("d")
            try FS.symlink("t", "s")
            try expect("type in the source", try FS.stat(try context.behind("d")).kind, is: .directory, path: "d")
            try expect("target in the source", try FS.readlink(try context.behind("s")), is: "t", path: "s")
        },
        .init("fsync-reaches-the-source", "fsync(2), fdatasync(2)", needs: [.source]) { context in
            var random = context.random()
            let file = try File("f", O_RDWR | O_CREAT)
            let data = random.bytes(300_000)
            try file.write(data, at: 0)
            try file.sync()
            try expect(data: try FS.contents(try context.behind("f")), is: data, "source after fsync", path: "f")
            try file.write("tail", at: 300_000)
            try call("fdatasync") { fdatasync(file.descriptor) }
            try expect(
                "size in the source after fdatasync", try FS.stat(try context.behind("f")).size, is: 300_004, path: "f")
        },
        .init("fsync-order", "fsync(2): what was synced first is there first", needs: [.source]) { context in
            let source = try context.behind("journal")
            let file = try File("journal", O_RDWR | O_CREAT)
            let commit = try File("commit", O_RDWR | O_CREAT)
            for round in UInt8(1)...40 {
                try file.write([UInt8](repeating: round, count: 5000), at: 0)
                try file.sync()
                try commit.write([round], at: 0)
                try commit.sync()
                let marker = try FS.contents(try context.behind("commit"))
                let data = try FS.contents(source)
                try expect(data: marker, is: [round], "commit mark in the source", path: "commit")
                try expect(
                    data: data, is: [UInt8](repeating: round, count: 5000), "journal in the source", path: "journal")
            }
        },
    ])

let syncChecks = CheckGroup(
    "sync",
    [
        .init("fsync-every-kind", "fsync(2), fdatasync(2), syncfs(2)") { _ in
            let file = try File("f", O_RDWR | O_CREAT)
            try file.write("x", at: 0)
            try file.sync()
            try call("fdatasync") { fdatasync(file.descriptor) }
            try FS.mkdir("d")
            let directory = try File("d", O_RDONLY | O_DIRECTORY)
            try directory.sync()
            try call("fdatasync") { fdatasync(directory.descriptor) }
            try call("syncfs") { clinux_syncfs(file.descriptor) }
            try File("f", O_RDONLY).sync()
        },
        .init("fsync-error", "fsync(2): EBADF") { _ in
            try FS.create("f")
            let file = try File("f", CLINUX_O_PATH)
            try fails(.badFileDescriptor, what: "fsync through O_PATH") { try file.sync() }
        },
        .init("synchronous-writes", "open(2): O_SYNC, O_DSYNC") { context in
            for flag in [O_SYNC, O_DSYNC] {
                let file = try File("f", O_RDWR | O_CREAT | O_TRUNC | flag)
                for index in 0..<20 { try file.write("\(index % 10)", at: Int64(index)) }
                try expect(data: try file.readAll(), is: Array("01234567890123456789".utf8), "content", path: "f")
                if let source = context.source {
                    try expect(
                        data: try FS.contents(source / "f"), is: Array("01234567890123456789".utf8), "source", path: "f"
                    )
                }
            }
        },
        .init("fsync-from-4-processes", "fsync(2)", deadline: 60) { context in
            try context.inParallel(4) { index in
                let file = try File(Path("f\(index)"), O_RDWR | O_CREAT)
                for round in 0..<20 {
                    try file.append([UInt8](repeating: UInt8(round), count: 3000))
                    try file.sync()
                }
                try expect("size", try file.stat().size, is: 60_000, path: file.path)
            }
        },
    ])

let handleChecks = CheckGroup(
    "handles",
    [
        .init("file-handle-opens", "open_by_handle_at(2)", needs: [.root, .feature(.fileHandles)]) { _ in
            try FS.mkdir("d")
            try FS.create("d/f", "by handle")
            let handle = try FileHandle("d/f")
            let descriptor = try handle.open(O_RDONLY)
            defer { close(descriptor) }
            let file = try File(Path("/proc/self/fd/\(descriptor)"), O_RDONLY)
            try expect(data: try file.readAll(), is: Array("by handle".utf8), "content", path: "d/f")
            try expect("inode", try file.stat().inode, is: try FS.stat("d/f").inode, path: "d/f")
            let directory = try FileHandle("d").open(O_RDONLY | O_DIRECTORY)
            close(directory)
        },
        .init("file-handle-survives-rename", "open_by_handle_at(2)", needs: [.root, .feature(.fileHandles)]) { _ in
            try FS.mkdir("d")
            try FS.create("f", "moved")
            let handle = try FileHandle("f")
            try FS.rename("f", "d/g")
            let descriptor = try handle.open(O_RDONLY)
            defer { close(descriptor) }
            try expect(
                data: try File(Path("/proc/self/fd/\(descriptor)"), O_RDONLY).readAll(), is: Array("moved".utf8),
                "content", path: "d/g")
        },
        .init("file-handle-goes-stale", "open_by_handle_at(2): ESTALE", needs: [.root, .feature(.fileHandles)]) {
            context in
            try FS.create("f", "gone")
            let handle = try FileHandle("f")
            try FS.unlink("f")
            // A release that is still under way keeps the file for a moment.
            try context.eventually("handle of a removed file is stale") {
                guard let descriptor = try? handle.open(O_RDONLY) else { return true }
                close(descriptor)
                return false
            }
            try fails(.staleNFSFileHandle, what: "handle of a removed file") { close(try handle.open(O_RDONLY)) }
        },
        .init("working-directory-path", "getcwd(3)") { _ in
            try FS.mkdir("one")
            try FS.mkdir("one/two")
            try FS.chdir("one/two")
            var buffer = [CChar](repeating: 0, count: 4096)
            try expect(getcwd(&buffer, buffer.count) != nil, "getcwd failed")
            let path = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            try expect(path.hasSuffix("/one/two"), "the working directory is \(path)")
        },
    ])
