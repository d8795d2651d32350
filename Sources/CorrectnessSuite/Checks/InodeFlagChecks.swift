import CBench
import CLinux
import Glibc
import SystemPackage

/// Inode flags that change what a write means (chattr(1)).
let inodeFlagChecks = CheckGroup(
    "inode flags",
    [
        .init(
            "append-only-takes-what-is-written", "ioctl_iflags(2): FS_APPEND_FL",
            needs: [.root, .feature(.inodeFlags)]
        ) { context in
            try FS.create("f", "start")
            try with(CBENCH_FS_APPEND_FL, on: "f") {
                let file = try File("f", O_WRONLY | O_APPEND)
                try file.append(Array("-one".utf8))
                try file.append(Array("-two".utf8))
                try file.sync()
                try file.close()
                // Some of it in the middle of a page, some across pages.
                try File("f", O_RDWR | O_APPEND).append([UInt8](repeating: 0x2e, count: 10_000))
                let expected = Array("start-one-two".utf8) + [UInt8](repeating: 0x2e, count: 10_000)
                try expect(data: try FS.contents("f"), is: expected, "content", path: "f")
                if let source = context.source {
                    try expect(data: try FS.contents(source / "f"), is: expected, "source", path: "f")
                }
                try fails(.notPermitted, what: "truncation of an append-only file") { try FS.truncate("f", 1) }
                try fails(.notPermitted, what: "open of an append-only file with O_TRUNC") {
                    try File("f", O_WRONLY | O_APPEND | O_TRUNC)
                }
            }
        },
        .init(
            "append-only-from-4-processes", "ioctl_iflags(2): FS_APPEND_FL", needs: [.root, .feature(.inodeFlags)]
        ) { context in
            try FS.create("f")
            try with(CBENCH_FS_APPEND_FL, on: "f") {
                try context.inParallel(4) { index in
                    let file = try File("f", O_WRONLY | O_APPEND)
                    for _ in 0..<50 { try file.append([UInt8](repeating: UInt8(index), count: 100)) }
                }
                let content = try FS.contents(context.source.map { $0 / "f" } ?? "f")
                try expect("size", content.count, is: 20_000, path: "f")
                for record in stride(from: 0, to: content.count, by: 100) {
                    let bytes = Array(content[record..<record + 100])
                    try expect(
                        data: bytes, is: [UInt8](repeating: bytes[0], count: 100), "record at \(record)", path: "f")
                }
            }
        },
        .init(
            "append-only-is-never-overwritten", "ioctl_iflags(2): FS_APPEND_FL; mmap(2): EACCES; fcntl(2): EPERM",
            needs: [.root, .feature(.inodeFlags)]
        ) { context in
            let start = Array("what was written stays".utf8)
            try FS.create("f", start)
            try with(CBENCH_FS_APPEND_FL, on: "f") {
                let file = try File("f", O_RDWR | O_APPEND)
                // Refused by a filesystem that knows the flag; a FUSE mount's kernel does not.
                if let map = try? file.map(4096, writable: true, shared: true) {
                    map.write([0x21, 0x21], at: 0)
                    try? map.sync()
                }
                if clinux_fcntl(file.descriptor, F_SETFL, 0) == 0 { try? file.write("!!", at: 5) }
                try? file.close()
                let content = try FS.contents(context.source.map { $0 / "f" } ?? "f")
                try expect(
                    data: Array(content.prefix(start.count)), is: start, "what was there before the mapping", path: "f")
                try expect("size, with two bytes written at most", content.count, in: start.count...start.count + 2)
            }
        },
        .init(
            "append-only-set-while-open", "ioctl_iflags(2): FS_APPEND_FL counts for later opens",
            needs: [.root, .feature(.inodeFlags)]
        ) { context in
            let before = try File("f", O_RDWR | O_CREAT)
            try before.write([UInt8](repeating: 1, count: 6000), at: 0)
            try with(CBENCH_FS_APPEND_FL, on: "f") {
                let after = try File("f", O_WRONLY | O_APPEND)
                try before.write([2, 2], at: 100)
                try after.append([3, 3])
                try before.sync()
                try after.sync()
                var expected = [UInt8](repeating: 1, count: 6000) + [3, 3]
                expected.replaceSubrange(100..<102, with: [2, 2])
                try expect(data: try FS.contents("f"), is: expected, "content", path: "f")
                if let source = context.source {
                    try expect(data: try FS.contents(source / "f"), is: expected, "source", path: "f")
                }
            }
        },
        .init(
            "synchronous-file", "ioctl_iflags(2): FS_SYNC_FL, as O_SYNC",
            needs: [.root, .source, .feature(.inodeFlags)]
        ) { context in
            try FS.create("f")
            try with(CBENCH_FS_SYNC_FL, on: "f") {
                let file = try File("f", O_RDWR)
                for index in 0..<20 {
                    try file.write("\(index % 10)", at: Int64(index))
                    try expect(
                        "size in the source", try FS.stat(try context.behind("f")).size, is: UInt64(index + 1),
                        path: "f")
                }
            }
        },
    ])

/// Sets an inode flag while `body` runs.
private func with(_ flag: UInt32, on path: Path, _ body: () throws -> Void) throws {
    // Opened anew each time: what is open already need not heed the flag.
    func change(_ change: (UInt32) -> UInt32) throws {
        let file = try File(path, O_RDONLY)
        var flags: UInt32 = 0
        try file.ioctl("FS_IOC_GETFLAGS", CBENCH_FS_IOC_GETFLAGS, &flags)
        flags = change(flags)
        try file.ioctl("FS_IOC_SETFLAGS", CBENCH_FS_IOC_SETFLAGS, &flags)
    }
    do {
        try change { $0 | flag }
    } catch let error as CallError where error.errno == .notSupported || error.errno == .invalidArgument {
        throw CheckSkipped("the filesystem has no inode flag 0x\(String(flag, radix: 16))")
    }
    defer { try? change { $0 & ~flag } }
    try body()
}
