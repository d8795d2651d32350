import BenchCore
import CLinux
import Glibc
import SystemPackage

/// Making, removing and listing directories.
let directoryChecks = CheckGroup(
    "directories",
    [
        .init("mkdir-and-rmdir", "mkdir(2), rmdir(2)") { _ in
            try FS.mkdir("d", 0o750)
            let attributes = try FS.stat("d")
            try expect("type", attributes.kind, is: .directory, path: "d")
            try expect("mode", attributes.mode, is: 0o750, path: "d")
            try FS.rmdir("d")
            try fails(.noSuchFileOrDirectory, what: "stat after rmdir") { try FS.stat("d") }
        },
        .init("mkdir-errors", "mkdir(2): EEXIST, ENOENT, ENOTDIR") { _ in
            try FS.create("f")
            try FS.mkdir("d")
            try FS.symlink("nowhere", "s")
            try fails(.fileExists, what: "mkdir over a file") { try FS.mkdir("f") }
            try fails(.fileExists, what: "mkdir over a directory") { try FS.mkdir("d") }
            try fails(.fileExists, what: "mkdir over a dangling link") { try FS.mkdir("s") }
            try fails(.noSuchFileOrDirectory, what: "mkdir in a missing directory") { try FS.mkdir("x/y") }
            try fails(.notDirectory, what: "mkdir below a file") { try FS.mkdir("f/y") }
            try fails(.fileExists, what: "mkdir of .") { try FS.mkdir(".") }
        },
        .init("rmdir-errors", "rmdir(2): ENOTEMPTY, ENOTDIR, EINVAL, ENOENT") { _ in
            try FS.mkdir("d")
            try FS.create("d/f")
            try FS.symlink("d", "s")
            try fails(.directoryNotEmpty, .fileExists, what: "rmdir of a directory with a file") { try FS.rmdir("d") }
            try fails(.notDirectory, what: "rmdir of a file") { try FS.rmdir("d/f") }
            try fails(.notDirectory, what: "rmdir of a link to a directory") { try FS.rmdir("s") }
            try fails(.invalidArgument, what: "rmdir of .") { try FS.rmdir("d/.") }
            try fails(.directoryNotEmpty, what: "rmdir of ..") { try FS.rmdir("d/..") }
            try fails(.noSuchFileOrDirectory, what: "rmdir of nothing") { try FS.rmdir("x") }
        },
        .init("unlink-errors", "unlink(2): EISDIR, ENOENT, ENOTDIR") { _ in
            try FS.mkdir("d")
            try FS.create("f")
            try fails(.isDirectory, what: "unlink of a directory") { try FS.unlink("d") }
            try fails(.noSuchFileOrDirectory, what: "unlink of nothing") { try FS.unlink("x") }
            try fails(.notDirectory, what: "unlink below a file") { try FS.unlink("f/x") }
        },
        .init("unlink-removes", "unlink(2)") { _ in
            for name: Path in ["f", "g"] { try FS.create(name) }
            try FS.symlink("f", "s")
            try FS.mknod("p", .fifo)
            for name: Path in ["f", "s", "p"] {
                try FS.unlink(name)
                try fails(.noSuchFileOrDirectory, what: "stat after unlink") { try FS.stat(name) }
            }
            try expect("names that are left", try FS.names("."), is: ["g"])
        },
        .init("directory-link-counts", "stat(2): st_nlink of directories", needs: [.feature(.directoryLinks)]) { _ in
            try FS.mkdir("d")
            try expect("links of an empty directory", try FS.stat("d").links, is: 2, path: "d")
            for name: Path in ["d/a", "d/b", "d/c"] { try FS.mkdir(name) }
            try FS.create("d/f")
            try expect("links with three subdirectories", try FS.stat("d").links, is: 5, path: "d")
            try FS.rmdir("d/a")
            try expect("links after rmdir", try FS.stat("d").links, is: 4, path: "d")
            try FS.mkdir("e")
            try FS.rename("d/b", "e/b")
            try expect("links after a directory moved out", try FS.stat("d").links, is: 3, path: "d")
            try expect("links after a directory moved in", try FS.stat("e").links, is: 3, path: "e")
        },
        .init("parent-times-change", "mkdir(2), unlink(2): times of the parent") { _ in
            try FS.mkdir("d")
            let actions: [(String, () throws -> Void)] = [
                ("create", { try FS.create("d/f") }), ("mkdir", { try FS.mkdir("d/e") }),
                ("link", { try FS.link("d/f", "d/g") }), ("symlink", { try FS.symlink("x", "d/s") }),
                ("rename", { try FS.rename("d/g", "d/h") }), ("unlink", { try FS.unlink("d/f") }),
                ("rmdir", { try FS.rmdir("d/e") }), ("mknod", { try FS.mknod("d/p", .fifo) }),
            ]
            for (name, action) in actions {
                try FS.setTimes("d", accessed: FileTime(1000), modified: FileTime(1000))
                try action()
                let age = FileTime.now.seconds - (try FS.stat("d").modified.seconds)
                try expect("seconds since the directory changed by \(name)", age, in: -2...60, path: "d")
            }
        },
        .init("dot-entries", "readdir(3): . and ..") { _ in
            try FS.mkdir("d")
            let entries = try File("d", O_RDONLY | O_DIRECTORY).entries()
            try expect("entries of an empty directory", Set(entries.map(\.name)), is: [".", ".."], path: "d")
            try expect("entries of an empty directory", entries.count, is: 2, path: "d")
            try expect("inode of d/..", try FS.stat("d/..").inode, is: try FS.stat(".").inode, path: "d/..")
            try expect("inode of d/.", try FS.stat("d/.").inode, is: try FS.stat("d").inode, path: "d/.")
        },
        .init("entry-types-and-inodes", "getdents(2): d_type, d_ino") { _ in
            try FS.create("regular")
            try FS.mkdir("directory")
            try FS.symlink("regular", "link")
            try FS.mknod("fifo", .fifo)
            try FS.mknod("socket", .socket)
            for entry in try File(".", O_RDONLY | O_DIRECTORY).entries() where entry.name != ".." {
                let attributes = try FS.stat(entry.name)
                if entry.type != 0 { try expect("d_type", entry.type, is: attributes.kind.entryType, path: entry.name) }
                try expect("d_ino", entry.inode, is: attributes.inode, path: entry.name)
            }
        },
        .init("list-1000", "readdir(3): each entry once") { _ in
            try checkListing(count: 1000, room: 32768)
        },
        .init("list-with-small-buffers", "getdents(2)") { _ in
            try checkListing(count: 120, room: 280)
        },
        .init("list-10000", "readdir(3): each entry once", deadline: 120) { _ in
            try checkListing(count: 10_000, room: 32768)
        },
        .init("list-long-names", "getdents(2): names of every length") { _ in
            let names = (1...255).map { Path(bytes: [UInt8](repeating: UInt8(ascii: "a") + UInt8($0 % 26), count: $0)) }
            for name in names { try FS.create(name) }
            try expect("names of every length", Set(try FS.names(".")), is: Set(names))
        },
        .init("seek-in-directory", "telldir(3), seekdir(3)") { _ in
            for index in 0..<300 { try FS.create(Path("f\(index)")) }
            let directory = try File(".", O_RDONLY | O_DIRECTORY)
            let all = try directory.entries()
            for at in stride(from: 0, to: all.count - 1, by: 37) {
                _ = try directory.seek(all[at].nextOffset, SEEK_SET)
                let rest = try directory.entries().map(\.name)
                try expect("entries after seeking behind entry \(at)", rest, is: all[(at + 1)...].map(\.name))
            }
        },
        .init("rewind-sees-changes", "rewinddir(3)") { _ in
            for index in 0..<20 { try FS.create(Path("f\(index)")) }
            let directory = try File(".", O_RDONLY | O_DIRECTORY)
            _ = try directory.entries()
            try FS.create("new")
            try FS.unlink("f3")
            _ = try directory.seek(0, SEEK_SET)
            let names = Set(try directory.entries().map(\.name))
            try expect(names.contains("new"), "a new file is missing after rewinddir", path: "new")
            try expect(!names.contains("f3"), "a removed file is listed after rewinddir", path: "f3")
        },
        .init("list-while-unlinking", "readdir(3): what stays is listed once") { _ in
            for index in 0..<600 { try FS.create(Path("f\(index)")) }
            let directory = try File(".", O_RDONLY | O_DIRECTORY)
            var seen: [Path] = []
            while case let some = try directory.nextEntries(room: 1024), !some.isEmpty {
                seen += some.map(\.name)
                // Only files already listed go away: all others stay, and must be listed.
                for entry in some where entry.name != "." && entry.name != ".." { try FS.unlink(entry.name) }
            }
            let expected = Set((0..<600).map { Path("f\($0)") } + [".", ".."])
            try expect("number of entries listed", seen.count, is: 602)
            try expect("entries listed", Set(seen), is: expected)
            try expect("entries left", try FS.names(".").count, is: 0)
        },
        .init("list-while-creating", "readdir(3): what was there is listed once") { _ in
            for index in 0..<400 { try FS.create(Path("old\(index)")) }
            let directory = try File(".", O_RDONLY | O_DIRECTORY)
            var seen: [Path] = []
            var made = 0
            while case let some = try directory.nextEntries(room: 1024), !some.isEmpty {
                seen += some.map(\.name)
                if made < 400 {
                    for _ in 0..<10 {
                        try FS.create(Path("new\(made)"))
                        made += 1
                    }
                }
            }
            try expect("entries listed twice", seen.count - Set(seen).count, is: 0)
            let missing = (0..<400).map { Path("old\($0)") }.filter { !seen.contains($0) }
            try expect("entries never listed", missing, is: [])
        },
        .init("list-removed-directory", "readdir(3), rmdir(2)") { _ in
            try FS.mkdir("d")
            let directory = try File("d", O_RDONLY | O_DIRECTORY)
            try FS.rmdir("d")
            do {
                let names = try directory.entries().map(\.name).filter { $0 != "." && $0 != ".." }
                try expect("entries of a removed directory", names, is: [])
            } catch let error as CallError where error.errno == .noSuchFileOrDirectory {
                // Linux says so (getdents(2)); POSIX would have an empty listing.
            }
        },
        .init("create-in-removed-directory", "open(2), mkdir(2): ENOENT") { _ in
            try FS.mkdir("d")
            try FS.chdir("d")
            try FS.rmdir("../d")
            try fails(.noSuchFileOrDirectory, what: "create in a removed directory") { try FS.create("f") }
            try fails(.noSuchFileOrDirectory, what: "mkdir in a removed directory") { try FS.mkdir("e") }
            try fails(.noSuchFileOrDirectory, what: "symlink in a removed directory") { try FS.symlink("x", "s") }
        },
        .init("name-changes-kind", "unlink(2), mkdir(2)") { _ in
            for round in 0..<20 {
                try FS.create("x", "file")
                try expect("type in round \(round)", try FS.stat("x").kind, is: .regular, path: "x")
                try FS.unlink("x")
                try FS.mkdir("x")
                try expect("type in round \(round)", try FS.stat("x").kind, is: .directory, path: "x")
                try FS.create("x/y")
                try FS.unlink("x/y")
                try FS.rmdir("x")
                try FS.symlink("y", "x")
                try expect("type in round \(round)", try FS.stat("x").kind, is: .symbolicLink, path: "x")
                try FS.unlink("x")
            }
        },
        .init("deep-tree", "path_resolution(7)", deadline: 60) { _ in
            for level in 0..<400 {
                try FS.mkdir(Path("level\(level)"))
                try FS.chdir(Path("level\(level)"))
            }
            try FS.create("bottom", "deep")
            try expect(
                data: try FS.contents("bottom"), is: Array("deep".utf8), "content 400 levels down", path: "bottom")
            for level in (0..<400).reversed() {
                try FS.chdir("..")
                try expect("name \(400 - level) levels up", try FS.names("."), is: [Path("level\(level)")])
            }
        },
        .init("remove-tree", "unlink(2), rmdir(2)", deadline: 60) { _ in
            for directory in 0..<20 {
                try FS.mkdir(Path("d\(directory)"))
                for file in 0..<20 { try FS.create(Path("d\(directory)/f\(file)"), "x") }
            }
            for directory in try FS.names(".") {
                for file in try FS.names(directory) { try FS.unlink(directory / file) }
                try FS.rmdir(directory)
            }
            try expect("names that are left", try FS.names("."), is: [])
        },
    ])

/// Creates files and compares what a listing says.
private func checkListing(count: Int, room: Int) throws {
    try FS.mkdir("d")
    let expected = Set((0..<count).map { Path("d/entry-\($0)") })
    for path in expected { try FS.create(path) }
    let listed = try File("d", O_RDONLY | O_DIRECTORY).entries(room: room).filter { $0.name != "." && $0.name != ".." }
    let names = Set(listed.map { Path("d/\($0.name)") })
    try expect("entries listed twice", listed.count - names.count, is: 0, path: "d")
    if let lost = expected.subtracting(names).first {
        throw CheckFailure("an entry is not listed", expected: "\(lost)", got: "\(listed.count) others")
    }
    try expect("entries listed", names.count, is: count, path: "d")
    for path in expected { try FS.unlink(path) }
    try FS.rmdir("d")
}
