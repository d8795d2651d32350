import BenchCore
import Glibc
import SystemPackage

/// Which names there can be.
let nameChecks = CheckGroup(
    "names",
    [
        .init("name-255-bytes", "path_resolution(7): NAME_MAX") { _ in
            let name = Path(bytes: [UInt8](repeating: UInt8(ascii: "n"), count: 255))
            let other = Path(bytes: [UInt8](repeating: UInt8(ascii: "m"), count: 255))
            try FS.create(name, "x")
            try FS.rename(name, other)
            try FS.link(other, name)
            try FS.unlink(name)
            try FS.mkdir(name)
            try FS.rmdir(name)
            try FS.symlink("t", name)
            try expect("names", Set(try FS.names(".")), is: [name, other])
        },
        .init("name-256-bytes", "path_resolution(7): ENAMETOOLONG") { _ in
            let name = Path(bytes: [UInt8](repeating: UInt8(ascii: "n"), count: 256))
            try FS.create("f")
            try fails(.fileNameTooLong, what: "create") { try FS.create(name) }
            try fails(.fileNameTooLong, what: "stat") { try FS.stat(name) }
            try fails(.fileNameTooLong, what: "mkdir") { try FS.mkdir(name) }
            try fails(.fileNameTooLong, what: "symlink") { try FS.symlink("f", name) }
            try fails(.fileNameTooLong, what: "link") { try FS.link("f", name) }
            try fails(.fileNameTooLong, what: "rename") { try FS.rename("f", name) }
            try fails(.fileNameTooLong, what: "mknod") { try FS.mknod(name, .fifo) }
            try fails(.fileNameTooLong, what: "unlink") { try FS.unlink(name) }
            try fails(.fileNameTooLong, what: "rmdir") { try FS.rmdir(name) }
        },
        .init("name-of-any-byte", "path_resolution(7): all bytes but NUL and slash") { _ in
            var names: Set<Path> = []
            for byte in UInt8(1)...255 where byte != UInt8(ascii: "/") && byte != UInt8(ascii: ".") {
                names.insert(Path(bytes: [byte]))
            }
            for name in names { try FS.create(name, name.bytes) }
            try expect("names listed", Set(try FS.names(".")), is: names)
            for name in names { try expect(data: try FS.contents(name), is: name.bytes, "content", path: name) }
        },
        .init("name-not-utf8", "path_resolution(7): names are bytes") { _ in
            let names: [Path] = [
                Path(bytes: [0xff, 0xfe, 0x80]), Path(bytes: [0xc3]), Path(bytes: [0x61, 0xed, 0xa0, 0x80]),
                Path(bytes: [0xf8, 0x88, 0x80, 0x80, 0x80]),
            ]
            for name in names {
                try FS.mkdir(name)
                try FS.create(name / "f", "x")
                try FS.rename(name / "f", name / name)
                try expect("names", try FS.names(name), is: [name])
            }
            try expect("names", Set(try FS.names(".")), is: Set(names))
        },
        .init("name-forms-stay-distinct", "path_resolution(7): no folding, no normalising") { _ in
            let names: [Path] = [
                "A", "a", "\u{e9}", "e\u{301}", " ", " a", "a ", "...", "..a", "a.", "-", "\\", "*", "\n", "a:b",
            ]
            for name in names { try FS.create(name, name.bytes) }
            try expect("names", Set(try FS.names(".")), is: Set(names))
            for name in names { try expect(data: try FS.contents(name), is: name.bytes, "content", path: name) }
        },
        .init("dot-and-dot-dot", "path_resolution(7)") { _ in
            try FS.mkdir("d")
            try FS.mkdir("d/e")
            try FS.create("f", "x")
            let inode = try FS.stat("f").inode
            for path: Path in ["./f", "d/../f", "d/e/../../f", "d/./../f", ".//./f", "d//..//f"] {
                try expect("inode", try FS.stat(path).inode, is: inode, path: path)
            }
            try fails(.noSuchFileOrDirectory, what: "through a missing directory and back") { try FS.stat("x/../f") }
            try fails(.notDirectory, what: "through a file and back") { try FS.stat("f/../f") }
        },
        .init("dot-names-are-refused", "rename(2), rmdir(2), mkdir(2), unlink(2)") { _ in
            try FS.mkdir("d")
            try FS.create("f")
            try fails(.resourceBusy, .invalidArgument, what: "rename of .") { try FS.rename("d/.", "e") }
            try fails(.resourceBusy, .invalidArgument, what: "rename of ..") { try FS.rename("d/..", "e") }
            try fails(.resourceBusy, .invalidArgument, .fileExists, what: "rename to .") { try FS.rename("d", "./.") }
            try fails(.fileExists, what: "link to .") { try FS.link("f", "d/.") }
            try fails(.fileExists, what: "mkdir of ..") { try FS.mkdir("d/..") }
            try fails(.isDirectory, what: "unlink of .") { try FS.unlink("d/.") }
        },
        .init("trailing-slash", "path_resolution(7): a trailing slash asks for a directory") { _ in
            try FS.create("f")
            try FS.mkdir("d/")
            try FS.symlink("d", "s")
            try FS.symlink("f", "t")
            try expect("type", try FS.stat("d/").kind, is: .directory, path: "d/")
            try expect("type", try FS.stat("s/").kind, is: .directory, path: "s/")
            try fails(.notDirectory, what: "stat of a file with a slash") { try FS.stat("f/") }
            try fails(.notDirectory, what: "stat of a link to a file with a slash") { try FS.stat("t/") }
            try fails(.isDirectory, what: "create with a slash") { try FS.create("g/") }
            try fails(.notDirectory, what: "unlink of a file with a slash") { try FS.unlink("f/") }
            try fails(.notDirectory, what: "rename of a file with a slash") { try FS.rename("f/", "g") }
            try fails(.notDirectory, what: "rename of a file to a name with a slash") { try FS.rename("f", "g/") }
            try FS.rename("d/", "e/")
            try FS.rmdir("e/")
        },
        .init("path-4095-bytes", "path_resolution(7): PATH_MAX") { _ in
            let component = Path(bytes: [UInt8](repeating: UInt8(ascii: "p"), count: 250))
            var path = component
            for _ in 0..<14 {
                try FS.mkdir(path)
                path = path / component
            }
            try FS.mkdir(path)
            // 15 × 250 bytes and 14 slashes make 3764; two more names fill up to 4095.
            let split = path / Path(bytes: [UInt8](repeating: UInt8(ascii: "y"), count: 200))
            try FS.mkdir(split)
            let last = split / Path(bytes: [UInt8](repeating: UInt8(ascii: "x"), count: 4095 - split.bytes.count - 1))
            try expect("length of the path", last.bytes.count, is: 4095)
            try FS.create(last, "far")
            try expect(data: try FS.contents(last), is: Array("far".utf8), "content", path: last)
            try fails(.fileNameTooLong, what: "a path of 4096 bytes") { try FS.stat(Path(bytes: last.bytes + [0x78])) }
        },
        .init("empty-path", "path_resolution(7): ENOENT") { _ in
            try fails(.noSuchFileOrDirectory, what: "stat of an empty path") { try FS.stat("") }
            try fails(.noSuchFileOrDirectory, what: "mkdir of an empty path") { try FS.mkdir("") }
            try fails(.noSuchFileOrDirectory, what: "unlink of an empty path") { try FS.unlink("") }
        },
        .init("missing-names-appear", "path_resolution(7): no stale negative answers") { _ in
            for round in 0..<50 {
                let name = Path("n\(round)")
                try fails(.noSuchFileOrDirectory, what: "stat of a missing name") { try FS.stat(name) }
                switch round % 4 {
                case 0: try FS.create(name)
                case 1: try FS.mkdir(name)
                case 2: try FS.symlink("x", name)
                default: try FS.mknod(name, .fifo)
                }
                _ = try FS.stat(name)
            }
        },
    ])
