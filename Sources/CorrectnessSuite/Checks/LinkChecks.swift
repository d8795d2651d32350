import BenchCore
import CBench
import Glibc
import SystemPackage

/// Hard and symbolic links.
let linkChecks = CheckGroup(
    "links",
    [
        .init("hard-link-shares-all", "link(2)") { _ in
            try FS.create("a", "one")
            try FS.link("a", "b")
            try expect("inode", try FS.stat("b").inode, is: try FS.stat("a").inode, path: "b")
            try expect("links", try FS.stat("a").links, is: 2, path: "a")
            try FS.create("b", "two!")
            try expect(data: try FS.contents("a"), is: Array("two!".utf8), "content through the other name", path: "a")
            try FS.chmod("a", 0o600)
            try expect("mode through the other name", try FS.stat("b").mode, is: 0o600, path: "b")
            try FS.truncate("a", 1)
            try expect("size through the other name", try FS.stat("b").size, is: 1, path: "b")
        },
        .init("link-count-follows", "link(2), unlink(2): st_nlink") { _ in
            try FS.create("a")
            for count in 2...5 {
                try FS.link("a", Path("l\(count)"))
                try expect("links", try FS.stat("a").links, is: UInt32(count), path: "a")
            }
            try FS.unlink("l3")
            try expect("links after unlink", try FS.stat("a").links, is: 4, path: "a")
            try FS.create("other")
            try FS.rename("other", "l4")
            try expect("links after a name was replaced", try FS.stat("a").links, is: 3, path: "a")
            try FS.unlink("a")
            try expect("links through another name", try FS.stat("l2").links, is: 2, path: "l2")
        },
        .init("link-errors", "link(2): EEXIST, EPERM, ENOENT, ENOTDIR") { _ in
            try FS.create("f")
            try FS.create("g")
            try FS.mkdir("d")
            try fails(.fileExists, what: "link over a file") { try FS.link("f", "g") }
            try fails(.fileExists, what: "link over a directory") { try FS.link("f", "d") }
            try fails(.fileExists, what: "link over itself") { try FS.link("f", "f") }
            try fails(.notPermitted, what: "link of a directory") { try FS.link("d", "e") }
            try fails(.noSuchFileOrDirectory, what: "link of nothing") { try FS.link("x", "y") }
            try fails(.noSuchFileOrDirectory, what: "link into a missing directory") { try FS.link("f", "x/y") }
            try fails(.notDirectory, what: "link below a file") { try FS.link("f", "g/y") }
        },
        .init("link-of-symbolic-link", "link(2): does not follow") { _ in
            try FS.symlink("nowhere", "s")
            try FS.link("s", "t")
            try expect("type", try FS.stat("t").kind, is: .symbolicLink, path: "t")
            try expect("links", try FS.stat("s").links, is: 2, path: "s")
            try expect("target", try FS.readlink("t"), is: "nowhere", path: "t")
        },
        .init("link-of-special-files", "link(2)") { _ in
            try FS.mknod("p", .fifo)
            try FS.link("p", "q")
            try expect("inode", try FS.stat("q").inode, is: try FS.stat("p").inode, path: "q")
            try expect("links", try FS.stat("q").links, is: 2, path: "q")
        },
        .init("links-1000", "link(2)", deadline: 60) { _ in
            try FS.create("f", "x")
            for index in 1..<1000 { try FS.link("f", Path("l\(index)")) }
            try expect("links", try FS.stat("f").links, is: 1000, path: "f")
            try expect("names", try FS.names(".").count, is: 1000)
            try FS.unlink("f")
            for index in 1..<999 { try FS.unlink(Path("l\(index)")) }
            try expect("links at the end", try FS.stat("l999").links, is: 1, path: "l999")
            try expect(data: try FS.contents("l999"), is: [0x78], "content", path: "l999")
        },
        .init("link-across-directories", "link(2)") { _ in
            try FS.mkdir("d")
            try FS.mkdir("d/e")
            try FS.create("f", "x")
            try FS.link("f", "d/e/f")
            try FS.link("d/e/f", "d/g")
            try FS.unlink("f")
            try FS.unlink("d/e/f")
            try expect(data: try FS.contents("d/g"), is: [0x78], "content", path: "d/g")
            try expect("links", try FS.stat("d/g").links, is: 1, path: "d/g")
        },
        .init("link-changes-ctime", "link(2), unlink(2): st_ctime of the file") { _ in
            try FS.create("f")
            let created = try FS.stat("f").changed
            usleep(20_000)
            try FS.link("f", "g")
            let linked = try FS.stat("f").changed
            try expect(linked > created, "ctime did not move by link: \(created), then \(linked)", path: "f")
            usleep(20_000)
            try FS.unlink("g")
            let unlinked = try FS.stat("f").changed
            try expect(unlinked > linked, "ctime did not move by unlink: \(linked), then \(unlinked)", path: "f")
        },
        .init("symlink-keeps-target", "symlink(2), readlink(2)") { _ in
            let targets: [Path] = [
                "t", "/", "/absolute/path", "../..", "a//b/", ".", Path(bytes: [0xff, 0xfe]), "with space\n",
                Path(bytes: [UInt8](repeating: UInt8(ascii: "t"), count: 59)),
                Path(bytes: [UInt8](repeating: UInt8(ascii: "u"), count: 60)),
                Path(bytes: [UInt8](repeating: UInt8(ascii: "v"), count: 1000)),
            ]
            for (index, target) in targets.enumerated() {
                let name = Path("s\(index)")
                try FS.symlink(target, name)
                try expect("target", try FS.readlink(name), is: target, path: name)
                try expect("size", try FS.stat(name).size, is: UInt64(target.bytes.count), path: name)
                try expect("mode", try FS.stat(name).mode, is: 0o777, path: name)
            }
        },
        .init("symlink-target-4095-bytes", "symlink(2): PATH_MAX, ENAMETOOLONG") { context in
            let longest = Path(bytes: [UInt8](repeating: UInt8(ascii: "t"), count: 4095))
            do {
                try FS.symlink(longest, "s")
                try expect("target", try FS.readlink("s"), is: longest, path: "s")
            } catch let error as CallError where error.errno == .fileNameTooLong {
                // Some filesystems hold shorter ones only: a mount must hold what its source does.
                if let source = context.source, (try? FS.symlink(longest, source / "direct")) != nil {
                    throw CheckFailure(
                        "symlink", expected: "4095 bytes, as in the source", got: "ENAMETOOLONG", path: "s")
                }
                try FS.symlink(Path(bytes: [UInt8](repeating: UInt8(ascii: "t"), count: 1023)), "s")
            }
            let tooLong = Path(bytes: [UInt8](repeating: UInt8(ascii: "t"), count: 4096))
            try fails(.fileNameTooLong, what: "symlink to 4096 bytes") { try FS.symlink(tooLong, "t") }
        },
        .init("symlink-errors", "symlink(2): EEXIST, ENOENT; readlink(2): EINVAL") { _ in
            try FS.create("f")
            try fails(.fileExists, what: "symlink over a file") { try FS.symlink("t", "f") }
            try fails(.noSuchFileOrDirectory, what: "symlink in a missing directory") { try FS.symlink("t", "x/y") }
            try fails(.noSuchFileOrDirectory, what: "symlink to an empty target") { try FS.symlink("", "s") }
            try fails(.invalidArgument, what: "readlink of a file") { try FS.readlink("f") }
            try fails(.noSuchFileOrDirectory, what: "readlink of nothing") { try FS.readlink("x") }
        },
        .init("symlink-is-followed", "path_resolution(7)") { _ in
            try FS.mkdir("d")
            try FS.create("d/f", "x")
            try FS.symlink("d", "s")
            try FS.symlink("../d/f", "d/up")
            try expect(data: try FS.contents("s/f"), is: [0x78], "content through a link to a directory", path: "s/f")
            try expect(data: try FS.contents("d/up"), is: [0x78], "content through a relative link", path: "d/up")
            try expect("type when followed", try FS.stat("s", follow: true).kind, is: .directory, path: "s")
            try expect("inode when followed", try FS.stat("d/up", follow: true).inode, is: try FS.stat("d/f").inode)
            try FS.unlink("s")
            try expect("type of the target after unlink of the link", try FS.stat("d").kind, is: .directory, path: "d")
        },
        .init("symlink-loops", "path_resolution(7): ELOOP") { _ in
            try FS.symlink("b", "a")
            try FS.symlink("a", "b")
            try FS.symlink("self", "self")
            for name: Path in ["a", "b", "self"] {
                try fails(.tooManySymbolicLinkLevels, what: "stat of a loop") { try FS.stat(name, follow: true) }
                try fails(.tooManySymbolicLinkLevels, what: "open of a loop") { try File(name, O_RDONLY) }
            }
            try FS.create("l0", "end")
            for index in 1...39 { try FS.symlink(Path("l\(index - 1)"), Path("l\(index)")) }
            try expect(data: try FS.contents("l39"), is: Array("end".utf8), "content through 39 links", path: "l39")
            try FS.symlink("l39", "l40")
            try FS.symlink("l40", "l41")
            try fails(.tooManySymbolicLinkLevels, what: "41 links") { try FS.contents("l41") }
        },
        .init("symlink-own-attributes", "lchown(2), utimensat(2): AT_SYMLINK_NOFOLLOW", needs: [.root]) { _ in
            try FS.create("f")
            try FS.symlink("f", "s")
            let before = try FS.stat("f")
            try FS.chown("s", 60001, 60002)
            try FS.setTimes("s", accessed: FileTime(1000, 1), modified: FileTime(2000, 2))
            let link = try FS.stat("s")
            try expect("owner of the link", link.owner, is: 60001, path: "s")
            try expect("group of the link", link.group, is: 60002, path: "s")
            try expect("mtime of the link", link.modified, is: FileTime(2000, 2), path: "s")
            let after = try FS.stat("f")
            try expect("owner of the target", after.owner, is: before.owner, path: "f")
            try expect("mtime of the target", after.modified, is: before.modified, path: "f")
        },
        .init("symlink-replaced", "symlink(2), rename(2): no stale target") { _ in
            for round in 0..<30 {
                try FS.symlink(Path("target\(round)"), "new")
                try FS.rename("new", "current")
                try expect("target", try FS.readlink("current"), is: Path("target\(round)"), path: "current")
            }
        },
    ])
