import BenchCore
import CLinux
import Glibc
import SystemPackage

/// rename(2) and renameat2(2).
let renameChecks = CheckGroup(
    "rename",
    [
        .init("rename-moves", "rename(2)") { _ in
            try FS.create("a", "x")
            let inode = try FS.stat("a").inode
            try FS.rename("a", "b")
            try fails(.noSuchFileOrDirectory, what: "the old name") { try FS.stat("a") }
            try expect("inode", try FS.stat("b").inode, is: inode, path: "b")
            try expect(data: try FS.contents("b"), is: [0x78], "content", path: "b")
            try expect("names", try FS.names("."), is: ["b"])
        },
        .init("rename-replaces", "rename(2)") { _ in
            try FS.create("a", "new")
            try FS.create("b", "old")
            let inode = try FS.stat("a").inode
            try FS.rename("a", "b")
            try expect("inode", try FS.stat("b").inode, is: inode, path: "b")
            try expect(data: try FS.contents("b"), is: Array("new".utf8), "content", path: "b")
            try expect("names", try FS.names("."), is: ["b"])
        },
        .init("rename-over-open-file", "rename(2): open descriptors stay") { _ in
            try FS.create("a", "new")
            try FS.create("b", "old")
            let replaced = try File("b", O_RDWR)
            let moved = try File("a", O_RDWR)
            try FS.rename("a", "b")
            try expect(data: try replaced.read(3, at: 0), is: Array("old".utf8), "the replaced file", path: "b")
            try expect("links of the replaced file", try replaced.stat().links, is: 0, path: "b")
            try replaced.write("OLD", at: 0)
            try moved.write("NEW", at: 0)
            try expect(data: try FS.contents("b"), is: Array("NEW".utf8), "the moved file", path: "b")
            try expect(data: try replaced.read(3, at: 0), is: Array("OLD".utf8), "the replaced file", path: "b")
        },
        .init("rename-directories", "rename(2): ENOTEMPTY") { _ in
            try FS.mkdir("a")
            try FS.create("a/f", "x")
            try FS.mkdir("b")
            try FS.mkdir("c")
            try FS.create("c/g")
            try FS.rename("a", "b")
            try expect(data: try FS.contents("b/f"), is: [0x78], "content of the moved directory", path: "b/f")
            try fails(.directoryNotEmpty, .fileExists, what: "rename over a directory with a file") {
                try FS.rename("b", "c")
            }
            try expect("names", Set(try FS.names(".")), is: ["b", "c"])
        },
        .init("rename-kinds-mixed", "rename(2): EISDIR, ENOTDIR") { _ in
            try FS.mkdir("d")
            try FS.create("f")
            try FS.symlink("d", "s")
            try fails(.isDirectory, what: "a file over a directory") { try FS.rename("f", "d") }
            try fails(.notDirectory, what: "a directory over a file") { try FS.rename("d", "f") }
            try fails(.notDirectory, what: "a directory over a link") { try FS.rename("d", "s") }
            try FS.rename("f", "s")
            try expect("type", try FS.stat("s").kind, is: .regular, path: "s")
        },
        .init("rename-into-itself", "rename(2): EINVAL") { _ in
            try FS.mkdir("d")
            try FS.mkdir("d/e")
            try fails(.invalidArgument, what: "a directory into itself") { try FS.rename("d", "d/x") }
            try fails(.invalidArgument, what: "a directory below itself") { try FS.rename("d", "d/e/x") }
            try fails(.directoryNotEmpty, .fileExists, .invalidArgument, what: "a directory over its parent") {
                try FS.rename("d/e", "d")
            }
        },
        .init("rename-missing", "rename(2): ENOENT, ENOTDIR") { _ in
            try FS.create("f")
            try fails(.noSuchFileOrDirectory, what: "rename of nothing") { try FS.rename("x", "y") }
            try fails(.noSuchFileOrDirectory, what: "rename into a missing directory") { try FS.rename("f", "x/y") }
            try fails(.notDirectory, what: "rename below a file") { try FS.rename("f", "f/y") }
        },
        .init("rename-same-file", "rename(2): two names of one file stay") { _ in
            try FS.create("a", "x")
            try FS.link("a", "b")
            try FS.rename("a", "b")
            try expect("names", Set(try FS.names(".")), is: ["a", "b"])
            try FS.rename("a", "a")
            try expect("links", try FS.stat("a").links, is: 2, path: "a")
        },
        .init("rename-across-directories", "rename(2): .. follows") { _ in
            try FS.mkdir("p")
            try FS.mkdir("q")
            try FS.mkdir("p/d")
            try FS.create("p/d/f", "x")
            try FS.rename("p/d", "q/e")
            try expect("inode of ..", try FS.stat("q/e/..").inode, is: try FS.stat("q").inode, path: "q/e/..")
            try expect(data: try FS.contents("q/e/f"), is: [0x78], "content", path: "q/e/f")
            try expect("names", try FS.names("p"), is: [])
        },
        .init("rename-under-working-directory", "rename(2), getcwd(3)") { _ in
            try FS.mkdir("d")
            try FS.mkdir("d/e")
            try FS.chdir("d/e")
            try FS.rename("../../d", "../../moved")
            try FS.create("f", "x")
            try FS.chdir("../..")
            try expect(data: try FS.contents("moved/e/f"), is: [0x78], "content", path: "moved/e/f")
        },
        .init("rename-changes-times", "rename(2): times of both directories") { _ in
            try FS.mkdir("p")
            try FS.mkdir("q")
            try FS.create("p/f")
            for name: Path in ["p", "q"] { try FS.setTimes(name, accessed: FileTime(1000), modified: FileTime(1000)) }
            try FS.rename("p/f", "q/f")
            for name: Path in ["p", "q"] {
                try expect(
                    "seconds since the change", FileTime.now.seconds - (try FS.stat(name).modified.seconds),
                    in: -2...60, path: name)
            }
        },
        .init("rename-no-replace", "rename(2): RENAME_NOREPLACE, EEXIST", needs: [.feature(.noReplace)]) { _ in
            try FS.create("a", "one")
            try FS.create("b", "two")
            try FS.mkdir("d")
            let flag = CLINUX_RENAME_NOREPLACE
            try fails(.fileExists, what: "over a file") { try FS.rename("a", "b", flags: flag) }
            try fails(.fileExists, what: "over a directory") { try FS.rename("a", "d", flags: flag) }
            try fails(.fileExists, what: "over itself") { try FS.rename("a", "a", flags: flag) }
            try expect(data: try FS.contents("b"), is: Array("two".utf8), "content", path: "b")
            try FS.rename("a", "c", flags: flag)
            try expect(data: try FS.contents("c"), is: Array("one".utf8), "content", path: "c")
        },
        .init(
            "rename-no-replace-behind-the-cache", "rename(2): RENAME_NOREPLACE asks the filesystem",
            needs: [.source, .feature(.noReplace)]
        ) { context in
            // The kernel knows the name as missing: only the daemon can refuse.
            try FS.create("a", "one")
            try fails(.noSuchFileOrDirectory, what: "stat of a missing name") { try FS.stat("b") }
            try FS.create(try context.behind("b"), "two")
            try fails(.fileExists, what: "over a file that appeared behind the mount") {
                try FS.rename("a", "b", flags: CLINUX_RENAME_NOREPLACE)
            }
            try expect(data: try FS.contents(try context.behind("b")), is: Array("two".utf8), "content", path: "b")
        },
        .init("rename-exchange", "rename(2): RENAME_EXCHANGE", needs: [.feature(.exchange)]) { context in
            try FS.create("a", "one")
            try FS.create("b", "two")
            let inodes = (try FS.stat("a").inode, try FS.stat("b").inode)
            try FS.rename("a", "b", flags: CLINUX_RENAME_EXCHANGE)
            try expect("inode", try FS.stat("a").inode, is: inodes.1, path: "a")
            try expect("inode", try FS.stat("b").inode, is: inodes.0, path: "b")
            try expect(data: try FS.contents("a"), is: Array("two".utf8), "content", path: "a")
            try expect(data: try FS.contents("b"), is: Array("one".utf8), "content", path: "b")
            if let source = context.source {
                try expect(
                    data: try FS.contents(source / "a"), is: Array("two".utf8), "content in the source", path: "a")
            }
            try fails(.noSuchFileOrDirectory, what: "exchange with nothing") {
                try FS.rename("a", "x", flags: CLINUX_RENAME_EXCHANGE)
            }
        },
        .init("rename-exchange-kinds", "rename(2): RENAME_EXCHANGE of any kinds", needs: [.feature(.exchange)]) { _ in
            try FS.mkdir("p")
            try FS.mkdir("p/d")
            try FS.create("p/d/inner", "x")
            try FS.create("f", "file")
            try FS.rename("p/d", "f", flags: CLINUX_RENAME_EXCHANGE)
            try expect("type", try FS.stat("f").kind, is: .directory, path: "f")
            try expect("type", try FS.stat("p/d").kind, is: .regular, path: "p/d")
            try expect(data: try FS.contents("f/inner"), is: [0x78], "content", path: "f/inner")
            try expect("inode of ..", try FS.stat("f/..").inode, is: try FS.stat(".").inode, path: "f/..")
        },
        .init("rename-whiteout", "rename(2): RENAME_WHITEOUT", needs: [.root, .feature(.whiteout)]) { _ in
            try FS.create("a", "x")
            try FS.rename("a", "b", flags: CLINUX_RENAME_WHITEOUT)
            let left = try FS.stat("a")
            try expect("type of what is left", left.kind, is: .characterDevice, path: "a")
            try expect("device of what is left", [left.device.major, left.device.minor], is: [0, 0], path: "a")
            try expect(data: try FS.contents("b"), is: [0x78], "content", path: "b")
        },
        .init("rename-flags-refused", "rename(2): EINVAL") { _ in
            try FS.create("a")
            try FS.create("b")
            let both = CLINUX_RENAME_NOREPLACE | CLINUX_RENAME_EXCHANGE
            try fails(.invalidArgument, what: "contradicting flags") { try FS.rename("a", "b", flags: both) }
            try fails(.invalidArgument, what: "unknown flag") { try FS.rename("a", "b", flags: 1 << 10) }
        },
        .init("rename-chain", "rename(2): no stale names", deadline: 60) { _ in
            try FS.create("n0", "x")
            let inode = try FS.stat("n0").inode
            for step in 1...200 {
                try FS.rename(Path("n\(step - 1)"), Path("n\(step)"))
                try expect("old name exists", try FS.exists(Path("n\(step - 1)")), is: false)
                try expect("inode", try FS.stat(Path("n\(step)")).inode, is: inode)
            }
            try expect("names", try FS.names("."), is: ["n200"])
        },
    ])
