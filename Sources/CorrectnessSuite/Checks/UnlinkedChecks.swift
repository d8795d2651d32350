import BenchCore
import Glibc
import LinuxSystem

/// Files that are open and have no name any more.
let unlinkedChecks = CheckGroup(
    "unlinked",
    [
        .init("unlinked-file-lives", "unlink(2): until the last descriptor closes") { context in
            var random = context.random()
            let data = random.bytes(100_000)
            let file = try File("f", O_RDWR | O_CREAT)
            try file.write(data, at: 0)
            try FS.unlink("f")
            try expect("names in the directory", try FS.names("."), is: [])
            try expect(data: try file.readAll(), is: data, "content", path: "f")
            try file.write("more", at: 100_000)
            try expect("size", try file.stat().size, is: 100_004, path: "f")
            try file.truncate(10)
            try expect(data: try file.readAll(), is: Array(data[..<10]), "content after truncate", path: "f")
        },
        .init("unlinked-file-has-no-links", "fstat(2): st_nlink 0") { _ in
            let file = try File("f", O_RDWR | O_CREAT)
            let inode = try file.stat().inode
            try FS.unlink("f")
            try expect("links", try file.stat().links, is: 0, path: "f")
            try expect("inode", try file.stat().inode, is: inode, path: "f")
            try file.chmod(0o600)
            try expect("mode", try file.stat().mode, is: 0o600, path: "f")
            try file.setTimes(accessed: FileTime(1000, 5), modified: FileTime(2000, 6))
            try expect("mtime", try file.stat().modified, is: FileTime(2000, 6), path: "f")
            try file.sync()
        },
        .init("name-is-free-at-once", "unlink(2)") { _ in
            let old = try File("f", O_RDWR | O_CREAT)
            try old.write("old", at: 0)
            try FS.unlink("f")
            let new = try File("f", O_RDWR | O_CREAT | O_EXCL)
            try new.write("new", at: 0)
            try expect(data: try old.readAll(), is: Array("old".utf8), "the old file", path: "f")
            try expect(data: try FS.contents("f"), is: Array("new".utf8), "the new file", path: "f")
            try expect(try old.stat().inode != new.stat().inode, "old and new file have one inode number", path: "f")
        },
        .init("many-unlinked-files", "unlink(2)", deadline: 60) { _ in
            var files: [File] = []
            for index in 0..<200 {
                let file = try File("f", O_RDWR | O_CREAT | O_EXCL)
                try file.write("content \(index)", at: 0)
                try FS.unlink("f")
                files.append(file)
            }
            for (index, file) in files.enumerated() {
                try expect(data: try file.readAll(), is: Array("content \(index)".utf8), "file \(index)", path: "f")
            }
        },
        .init("unlinked-file-opened-again", "proc(5): /proc/PID/fd") { _ in
            let file = try File("f", O_RDWR | O_CREAT)
            try file.write("still", at: 0)
            try FS.unlink("f")
            let again = try File(Path("/proc/self/fd/\(file.descriptor)"), O_RDWR)
            try expect(data: try again.readAll(), is: Array("still".utf8), "content", path: "f")
            try again.write("STILL", at: 0)
            try file.close()
            try expect(data: try again.readAll(), is: Array("STILL".utf8), "content", path: "f")
        },
        .init("unlinked-shared-with-child", "fork(2), unlink(2)") { _ in
            let file = try File("f", O_RDWR | O_CREAT)
            try file.write("parent", at: 0)
            let child = try Child("child") {
                try FS.unlink("f")
                try file.write("CHILD", at: 0)
            }
            try child.join()
            try expect(data: try file.readAll(), is: Array("CHILDt".utf8), "content", path: "f")
        },
        .init("removed-directory-lives", "rmdir(2)") { _ in
            try FS.mkdir("d", 0o755)
            let directory = try File("d", O_RDONLY | O_DIRECTORY)
            try FS.rmdir("d")
            try expect("type", try directory.stat().kind, is: .directory, path: "d")
            try directory.chmod(0o700)
            try expect("mode", try directory.stat().mode, is: 0o700, path: "d")
            try FS.mkdir("d")
            try expect(
                try FS.stat("d").inode != directory.stat().inode, "old and new directory have one inode number",
                path: "d")
        },
        .init("one-of-two-names-unlinked", "unlink(2), link(2)") { _ in
            let file = try File("a", O_RDWR | O_CREAT)
            try FS.link("a", "b")
            try FS.unlink("a")
            try file.write("through", at: 0)
            try expect(data: try FS.contents("b"), is: Array("through".utf8), "content", path: "b")
            try expect("links", try file.stat().links, is: 1, path: "b")
        },
        .init("unlinked-in-removed-directory", "unlink(2), rmdir(2)") { _ in
            try FS.mkdir("d")
            let file = try File("d/f", O_RDWR | O_CREAT)
            try FS.unlink("d/f")
            try FS.rmdir("d")
            try file.write("alone", at: 0)
            try expect(data: try file.readAll(), is: Array("alone".utf8), "content", path: "d/f")
        },
    ])
