import CBench
import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// Holes and allocation.
let spaceChecks = CheckGroup(
    "space",
    [
        .init("sparse-file-stays-sparse", "lseek(2), stat(2): st_blocks") { _ in
            let file = try File("f", O_RDWR | O_CREAT)
            try file.truncate(1 << 30)
            try file.write("x", at: 512 << 20)
            try file.sync()
            let attributes = try file.stat()
            try expect("size", attributes.size, is: 1 << 30, path: "f")
            try expect("allocated bytes", attributes.blocks * 512, in: 1...(4 << 20), path: "f")
            try expect(
                data: try file.read(4096, at: 100 << 20), is: [UInt8](repeating: 0, count: 4096), "hole", path: "f")
        },
        .init("seek-data-and-hole", "lseek(2): SEEK_DATA, SEEK_HOLE, ENXIO", needs: [.feature(.seekHoles)]) { _ in
            let file = try File("f", O_RDWR | O_CREAT)
            let block = [UInt8](repeating: 1, count: 65_536)
            try file.write(block, at: 1 << 20)
            try file.write(block, at: 3 << 20)
            try file.truncate(4 << 20)
            try file.sync()
            try expect("first data", try file.seek(0, CBENCH_SEEK_DATA), is: 1 << 20, path: "f")
            try expect("first hole", try file.seek(0, CBENCH_SEEK_HOLE), is: 0, path: "f")
            try expect(
                "hole behind the data", try file.seek(1 << 20, CBENCH_SEEK_HOLE), is: (1 << 20) + 65_536, path: "f")
            try expect("second data", try file.seek((1 << 20) + 65_536, CBENCH_SEEK_DATA), is: 3 << 20, path: "f")
            try expect("data within data", try file.seek((3 << 20) + 5, CBENCH_SEEK_DATA), is: (3 << 20) + 5, path: "f")
            try fails(.noSuchAddressOrDevice, what: "data behind the last") {
                try file.seek((3 << 20) + 65_536, CBENCH_SEEK_DATA)
            }
            try fails(.noSuchAddressOrDevice, what: "hole behind the end") { try file.seek(5 << 20, CBENCH_SEEK_HOLE) }
            try fails(.noSuchAddressOrDevice, what: "data at the end") { try file.seek(4 << 20, CBENCH_SEEK_DATA) }
        },
        .init("seek-finds-unsynced-data", "lseek(2): SEEK_DATA, SEEK_HOLE") { _ in
            let file = try File("f", O_RDWR | O_CREAT)
            for size: Int64 in [1, 5000, 300_000] {
                try file.write([UInt8](repeating: 1, count: Int(size)), at: 0)
                try expect("data", try file.seek(0, CBENCH_SEEK_DATA), is: 0, path: "f")
                try expect("data at the last byte", try file.seek(size - 1, CBENCH_SEEK_DATA), is: size - 1, path: "f")
                try expect("hole", try file.seek(0, CBENCH_SEEK_HOLE), is: size, path: "f")
                try fails(.noSuchAddressOrDevice, what: "data behind the end") {
                    try file.seek(size, CBENCH_SEEK_DATA)
                }
            }
        },
        .init("seek-hole-in-full-file", "lseek(2): a hole at the end", needs: [.feature(.seekHoles)]) { _ in
            try FS.create("f", [UInt8](repeating: 1, count: 100_000))
            let file = try File("f", O_RDONLY)
            try expect("hole", try file.seek(0, CBENCH_SEEK_HOLE), is: 100_000, path: "f")
            try expect("data", try file.seek(50_000, CBENCH_SEEK_DATA), is: 50_000, path: "f")
            try expect(data: try file.read(1, at: 0), is: [1], "content", path: "f")
        },
        .init("holes-survive-a-copy", "lseek(2): what sparse copies rest on", needs: [.feature(.seekHoles)]) { _ in
            let file = try File("f", O_RDWR | O_CREAT)
            for place: Int64 in [0, 8 << 20, 24 << 20] {
                try file.write([UInt8](repeating: 9, count: 65_536), at: place)
            }
            try file.truncate(32 << 20)
            try file.sync()
            let copy = try File("g", O_RDWR | O_CREAT)
            var at: Int64 = 0
            while at < 32 << 20 {
                guard let data = try? file.seek(at, CBENCH_SEEK_DATA) else { break }
                at = try file.seek(data, CBENCH_SEEK_HOLE)
                try copy.write(try file.read(Int(at - data), at: data), at: data)
            }
            try copy.truncate(32 << 20)
            try copy.sync()
            try expect(data: try copy.readAll(), is: try file.readAll(), "copy", path: "g")
            try expect("allocated bytes of the copy", try copy.stat().blocks * 512, in: 1...(4 << 20), path: "g")
        },
        .init("allocate-extends", "fallocate(2): mode 0", needs: [.feature(.allocation)]) { _ in
            let file = try File("f", O_RDWR | O_CREAT)
            try file.write("keep", at: 0)
            try file.allocate(0, 0, 1 << 20)
            try expect("size", try file.stat().size, is: 1 << 20, path: "f")
            try expect("allocated bytes", try file.stat().blocks * 512, in: (1 << 20)...(8 << 20), path: "f")
            try expect(data: try file.read(6, at: 0), is: Array("keep".utf8) + [0, 0], "content", path: "f")
            try file.allocate(0, 0, 1000)
            try expect("size after a shorter one", try file.stat().size, is: 1 << 20, path: "f")
        },
        .init("allocate-keeps-size", "fallocate(2): FALLOC_FL_KEEP_SIZE", needs: [.feature(.allocation)]) { _ in
            let file = try File("f", O_RDWR | O_CREAT)
            try file.write("keep", at: 0)
            try file.allocate(CBENCH_FALLOC_KEEP_SIZE, 0, 1 << 20)
            try expect("size", try file.stat().size, is: 4, path: "f")
            try expect("allocated bytes", try FS.stat("f").blocks * 512, in: (1 << 20)...(8 << 20), path: "f")
            try expect(data: try file.readAll(), is: Array("keep".utf8), "content", path: "f")
        },
        .init("punch-hole", "fallocate(2): FALLOC_FL_PUNCH_HOLE", needs: [.feature(.punchHole)]) { _ in
            let file = try File("f", O_RDWR | O_CREAT)
            try file.write([UInt8](repeating: 5, count: 1 << 20), at: 0)
            try file.sync()
            let before = try file.stat().blocks
            try file.allocate(CBENCH_FALLOC_PUNCH_HOLE | CBENCH_FALLOC_KEEP_SIZE, 100_000, 800_000)
            var expected = [UInt8](repeating: 5, count: 1 << 20)
            expected.replaceSubrange(100_000..<900_000, with: [UInt8](repeating: 0, count: 800_000))
            try expect(data: try file.readAll(), is: expected, "content", path: "f")
            try expect(data: try FS.contents("f"), is: expected, "content in a new open", path: "f")
            try file.sync()
            let after = try file.stat().blocks
            try expect(after < before, "no space was given back: \(before) blocks before, \(after) after", path: "f")
            try expect("size", try file.stat().size, is: 1 << 20, path: "f")
        },
        .init("zero-range", "fallocate(2): FALLOC_FL_ZERO_RANGE", needs: [.feature(.zeroRange)]) { _ in
            let file = try File("f", O_RDWR | O_CREAT)
            try file.write([UInt8](repeating: 5, count: 100_000), at: 0)
            try file.allocate(CBENCH_FALLOC_ZERO_RANGE, 5000, 20_000)
            var expected = [UInt8](repeating: 5, count: 100_000)
            expected.replaceSubrange(5000..<25_000, with: [UInt8](repeating: 0, count: 20_000))
            try expect(data: try file.readAll(), is: expected, "content", path: "f")
            try file.allocate(CBENCH_FALLOC_ZERO_RANGE, 90_000, 30_000)
            try expect("size after a range across the end", try file.stat().size, is: 120_000, path: "f")
            try file.allocate(CBENCH_FALLOC_ZERO_RANGE | CBENCH_FALLOC_KEEP_SIZE, 110_000, 30_000)
            try expect("size with FALLOC_FL_KEEP_SIZE", try file.stat().size, is: 120_000, path: "f")
        },
        .init("collapse-range", "fallocate(2): FALLOC_FL_COLLAPSE_RANGE", needs: [.feature(.collapseRange)]) {
            context in
            var random = context.random()
            let data = random.bytes(16 * 4096)
            try FS.create("f", data)
            let file = try File("f", O_RDWR)
            _ = try file.readAll()
            try file.allocate(CBENCH_FALLOC_COLLAPSE_RANGE, 2 * 4096, 3 * 4096)
            let expected = Array(data[..<(2 * 4096)]) + Array(data[(5 * 4096)...])
            try expect("size", try file.stat().size, is: UInt64(expected.count), path: "f")
            try expect(data: try file.readAll(), is: expected, "content", path: "f")
            try fails(.invalidArgument, what: "collapse to the end") {
                try file.allocate(CBENCH_FALLOC_COLLAPSE_RANGE, 0, 13 * 4096)
            }
            try fails(.invalidArgument, what: "collapse of less than a block") {
                try file.allocate(CBENCH_FALLOC_COLLAPSE_RANGE, 0, 100)
            }
        },
        .init("insert-range", "fallocate(2): FALLOC_FL_INSERT_RANGE", needs: [.feature(.insertRange)]) { context in
            var random = context.random()
            let data = random.bytes(8 * 4096)
            try FS.create("f", data)
            let file = try File("f", O_RDWR)
            _ = try file.readAll()
            try file.allocate(CBENCH_FALLOC_INSERT_RANGE, 4096, 2 * 4096)
            let expected = Array(data[..<4096]) + [UInt8](repeating: 0, count: 8192) + Array(data[4096...])
            try expect("size", try file.stat().size, is: UInt64(expected.count), path: "f")
            try expect(data: try file.readAll(), is: expected, "content", path: "f")
            try fails(.invalidArgument, what: "insert at the end") {
                try file.allocate(CBENCH_FALLOC_INSERT_RANGE, 10 * 4096, 4096)
            }
        },
        .init("unshare-range", "fallocate(2): FALLOC_FL_UNSHARE_RANGE", needs: [.feature(.unshareRange)]) { _ in
            try FS.create("f", [UInt8](repeating: 5, count: 65_536))
            let file = try File("f", O_RDWR)
            try file.allocate(CBENCH_FALLOC_UNSHARE_RANGE, 0, 65_536)
            try expect(data: try file.readAll(), is: [UInt8](repeating: 5, count: 65_536), "content", path: "f")
        },
        .init("allocate-errors", "fallocate(2): EINVAL, EBADF, EFBIG, EOPNOTSUPP", needs: [.feature(.allocation)]) {
            _ in
            try FS.create("f", "x")
            let file = try File("f", O_RDWR)
            let reader = try File("f", O_RDONLY)
            try fails(.invalidArgument, what: "length 0") { try file.allocate(0, 0, 0) }
            try fails(.invalidArgument, what: "negative offset") { try file.allocate(0, -1, 10) }
            try fails(.badFileDescriptor, what: "read-only descriptor") { try reader.allocate(0, 0, 10) }
            try fails(.fileTooLarge, what: "beyond the largest offset") { try file.allocate(0, .max - 1, 100) }
            try fails(.notSupported, .invalidArgument, what: "punch hole that changes the size") {
                try file.allocate(CBENCH_FALLOC_PUNCH_HOLE, 0, 4096)
            }
            try fails(.notSupported, .invalidArgument, what: "unknown mode") { try file.allocate(1 << 20, 0, 4096) }
            try expect("size", try file.stat().size, is: 1, path: "f")
        },
        .init("clone", "ioctl_ficlone(2)", needs: [.feature(.cloning)]) { _ in
            try FS.create("f", [UInt8](repeating: 5, count: 65_536))
            let source = try File("f", O_RDONLY)
            let target = try File("g", O_RDWR | O_CREAT)
            try call("FICLONE") {
                clinux_ioctl(
                    target.descriptor, CBENCH_FICLONE, UnsafeMutableRawPointer(bitPattern: Int(source.descriptor)))
            }
            try target.write("changed", at: 0)
            try expect(data: try source.readAll(), is: [UInt8](repeating: 5, count: 65_536), "the original", path: "f")
        },
    ])
