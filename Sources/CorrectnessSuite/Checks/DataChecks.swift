import CBench
import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// Reading, writing and truncating.
let dataChecks = CheckGroup(
    "data",
    [
        .init("write-then-read-sizes", "read(2), write(2)") { context in
            var random = context.random()
            for size in [
                1, 511, 512, 513, 4095, 4096, 4097, 65_535, 65_536, 131_072, 131_073, 1_048_576, 1_048_577, 5_000_001,
            ] {
                let data = random.bytes(size)
                let file = try File("f", O_RDWR | O_CREAT | O_TRUNC)
                try file.write(data, at: 0)
                try expect("size", try file.stat().size, is: UInt64(size), path: "f")
                try expect(data: try file.readAll(), is: data, "\(size) bytes", path: "f")
                try file.close()
                try expect(data: try FS.contents("f"), is: data, "\(size) bytes in a new open", path: "f")
            }
        },
        .init("many-small-writes", "write(2)") { context in
            var random = context.random()
            let data = random.bytes(512 * 256)
            let file = try File("f", O_RDWR | O_CREAT)
            for block in 0..<256 { try file.append(Array(data[block * 512..<(block + 1) * 512])) }
            try expect(data: try file.readAll(), is: data, "256 writes of 512 bytes", path: "f")
            try expect(data: try FS.contents("f"), is: data, "256 writes of 512 bytes in a new open", path: "f")
        },
        .init("random-writes-like-memory", "pwrite(2), pread(2)", deadline: 60) { context in
            var random = context.random()
            var model = [UInt8]()
            let file = try File("f", O_RDWR | O_CREAT)
            for step in 0..<400 {
                let offset = random.below(200_000)
                let length = 1 + random.below(random.below(4) == 0 ? 60_000 : 3000)
                switch random.below(8) {
                case 0:
                    try file.truncate(Int64(offset))
                    model =
                        offset <= model.count
                        ? Array(model[..<offset]) : model + [UInt8](repeating: 0, count: offset - model.count)
                case 1...4:
                    let data = random.bytes(length)
                    try file.write(data, at: Int64(offset))
                    if offset + length > model.count {
                        model += [UInt8](repeating: 0, count: offset + length - model.count)
                    }
                    model.replaceSubrange(offset..<offset + length, with: data)
                default:
                    let expected = offset < model.count ? Array(model[offset..<min(offset + length, model.count)]) : []
                    try expect(
                        data: try file.read(length, at: Int64(offset)), is: expected, "read \(step) at \(offset)",
                        path: "f")
                }
            }
            try expect(data: try FS.contents("f"), is: model, "the file at the end", path: "f")
        },
        .init("read-at-the-end", "read(2): 0 at the end, short before it") { _ in
            try FS.create("f", "0123456789")
            let file = try File("f", O_RDONLY)
            try expect(data: try file.read(100, at: 5), is: Array("56789".utf8), "short read", path: "f")
            try expect(data: try file.read(100, at: 10), is: [], "read at the end", path: "f")
            try expect(data: try file.read(100, at: 1 << 40), is: [], "read far behind the end", path: "f")
            try expect(data: try file.read(0, at: 0), is: [], "read of nothing", path: "f")
            try fails(.invalidArgument, what: "read at a negative offset") { try file.read(1, at: -1) }
        },
        .init("write-of-nothing", "write(2): count 0") { _ in
            try FS.create("f", "x")
            let file = try File("f", O_RDWR)
            try file.write([], at: 100)
            try expect("size", try file.stat().size, is: 1, path: "f")
        },
        .init("write-behind-the-end", "pwrite(2): the gap reads as zeros") { _ in
            let file = try File("f", O_RDWR | O_CREAT)
            try file.write("start", at: 0)
            try file.write("end", at: 100_000)
            let content = try file.readAll()
            try expect("size", content.count, is: 100_003, path: "f")
            try expect(
                data: Array(content[5..<100_000]), is: [UInt8](repeating: 0, count: 99_995), "the gap", path: "f")
            try expect(data: Array(content[100_000...]), is: Array("end".utf8), "the end", path: "f")
        },
        .init("file-position", "read(2), write(2), lseek(2)") { _ in
            let file = try File("f", O_RDWR | O_CREAT)
            try file.append(Array("abcdef".utf8))
            try expect("position after a write", try file.seek(0, SEEK_CUR), is: 6, path: "f")
            try expect("SEEK_SET", try file.seek(2, SEEK_SET), is: 2, path: "f")
            try expect(data: try file.read(2), is: Array("cd".utf8), "read", path: "f")
            try expect("SEEK_END", try file.seek(-1, SEEK_END), is: 5, path: "f")
            try expect("SEEK_CUR", try file.seek(10, SEEK_CUR), is: 15, path: "f")
            try fails(.invalidArgument, what: "seek before the start") { try file.seek(-16, SEEK_CUR) }
            try fails(.invalidArgument, what: "seek with an unknown whence") { try file.seek(0, 99) }
            try expect("position after failed seeks", try file.seek(0, SEEK_CUR), is: 15, path: "f")
        },
        .init("append-goes-to-the-end", "open(2): O_APPEND") { _ in
            try FS.create("f", "start")
            let one = try File("f", O_RDWR | O_APPEND)
            let other = try File("f", O_WRONLY | O_APPEND)
            try one.append(Array("-a".utf8))
            try other.append(Array("-b".utf8))
            _ = try one.seek(0, SEEK_SET)
            try one.append(Array("-c".utf8))
            try expect(data: try FS.contents("f"), is: Array("start-a-b-c".utf8), "content", path: "f")
        },
        .init("append-ignores-the-offset", "pwrite(2), BUGS: O_APPEND appends") { _ in
            try FS.create("f", "start")
            let file = try File("f", O_RDWR | O_APPEND)
            try file.write("-end", at: 0)
            try expect(data: try FS.contents("f"), is: Array("start-end".utf8), "content", path: "f")
        },
        .init("append-set-later", "fcntl(2): F_SETFL O_APPEND") { _ in
            try FS.create("f", "0123456789")
            let file = try File("f", O_RDWR)
            try call("fcntl F_SETFL") { clinux_fcntl(file.descriptor, F_SETFL, Int(O_APPEND)) }
            try file.append(Array("x".utf8))
            try expect(data: try FS.contents("f"), is: Array("0123456789x".utf8), "content", path: "f")
            try call("fcntl F_SETFL") { clinux_fcntl(file.descriptor, F_SETFL, 0) }
            try file.write("y", at: 0)
            try expect(data: try FS.contents("f"), is: Array("y123456789x".utf8), "content", path: "f")
        },
        .init("truncate-shrinks-and-grows", "truncate(2): zeros behind the old end") { context in
            var random = context.random()
            let data = random.bytes(20_000)
            for size in [0, 1, 4095, 4096, 4097, 19_999] {
                try FS.create("f", data)
                try FS.truncate("f", Int64(size))
                try expect("size", try FS.stat("f").size, is: UInt64(size), path: "f")
                try FS.truncate("f", 20_000)
                let expected = Array(data[..<size]) + [UInt8](repeating: 0, count: 20_000 - size)
                try expect(data: try FS.contents("f"), is: expected, "truncated to \(size), then to 20000", path: "f")
            }
        },
        .init("truncate-of-open-file", "ftruncate(2)") { _ in
            let file = try File("f", O_RDWR | O_CREAT)
            let reader = try File("f", O_RDONLY)
            try file.write([UInt8](repeating: 7, count: 10_000), at: 0)
            _ = try reader.readAll()
            try file.truncate(100)
            try expect("size", try reader.stat().size, is: 100, path: "f")
            try expect("bytes to read", try reader.readAll().count, is: 100, path: "f")
            try file.truncate(5000)
            let expected = [UInt8](repeating: 7, count: 100) + [UInt8](repeating: 0, count: 4900)
            try expect(data: try reader.readAll(), is: expected, "through another descriptor", path: "f")
        },
        .init("truncate-errors", "truncate(2): EISDIR, EINVAL, ENOENT") { _ in
            try FS.mkdir("d")
            try FS.create("f")
            try FS.mknod("p", .fifo)
            try fails(.isDirectory, what: "truncate of a directory") { try FS.truncate("d", 0) }
            try fails(.invalidArgument, what: "truncate to a negative size") { try FS.truncate("f", -1) }
            try fails(.noSuchFileOrDirectory, what: "truncate of nothing") { try FS.truncate("x", 0) }
            try fails(.invalidArgument, what: "truncate of a fifo") { try FS.truncate("p", 0) }
        },
        .init("file-beyond-4-gib", "pwrite(2): 64-bit offsets") { _ in
            let file = try File("f", O_RDWR | O_CREAT)
            let places: [Int64] = [(1 << 31) - 3, (1 << 32) - 3, (5 << 30) + 1]
            for place in places { try file.write("border", at: place) }
            try expect("size", try file.stat().size, is: UInt64(5 << 30) + 7, path: "f")
            for place in places {
                try expect(data: try file.read(6, at: place), is: Array("border".utf8), "at offset \(place)", path: "f")
            }
            try expect(data: try file.read(6, at: 3 << 30), is: [0, 0, 0, 0, 0, 0], "between", path: "f")
            try file.truncate((4 << 30) + 5)
            try expect("size after truncate", try FS.stat("f").size, is: UInt64(4 << 30) + 5, path: "f")
        },
        .init("file-size-limit", "write(2), setrlimit(2): EFBIG") { _ in
            try Child("limited") {
                try call("setrlimit") { cbench_limit_file_size(10_000) }
                let file = try File("f", O_RDWR | O_CREAT)
                try file.write([UInt8](repeating: 1, count: 10_000), at: 0)
                try fails(.fileTooLarge, what: "write behind the limit") { try file.write("x", at: 10_000) }
                try fails(.fileTooLarge, what: "truncate behind the limit") { try file.truncate(10_001) }
                let count = try call("pwrite") {
                    pwrite(file.descriptor, [UInt8](repeating: 2, count: 100), 100, 9_950)
                }
                try expect("bytes written across the limit", count, is: 50, path: "f")
            }.join()
        },
        .init("offset-limit", "pwrite(2): EFBIG, EINVAL") { _ in
            let file = try File("f", O_RDWR | O_CREAT)
            try fails(.fileTooLarge, .invalidArgument, .overflow, what: "write across the largest offset") {
                try file.write("xy", at: .max)
            }
            try fails(.invalidArgument, what: "write at a negative offset") { try file.write("x", at: -5) }
        },
        .init("vectors", "readv(2), writev(2), pwritev2(2)") { _ in
            let file = try File("f", O_RDWR | O_CREAT)
            var one = Array("first ".utf8)
            var two = Array("second".utf8)
            let written = one.withUnsafeMutableBytes { a in
                two.withUnsafeMutableBytes { b in
                    let parts = [
                        iovec(iov_base: a.baseAddress, iov_len: 6), iovec(iov_base: b.baseAddress, iov_len: 6),
                    ]
                    return writev(file.descriptor, parts, 2)
                }
            }
            try expect("bytes written", written, is: 12, path: "f")
            try expect(data: try file.readAll(), is: Array("first second".utf8), "content", path: "f")
            let appended = two.withUnsafeMutableBytes { b in
                clinux_pwritev2(file.descriptor, [iovec(iov_base: b.baseAddress, iov_len: 6)], 1, 0, CLINUX_RWF_APPEND)
            }
            try expect("bytes appended with RWF_APPEND", appended, is: 6, path: "f")
            try expect(data: try file.readAll(), is: Array("first secondsecond".utf8), "content", path: "f")
        },
        .init("bad-buffer", "read(2), write(2): EFAULT") { _ in
            try FS.create("f", "0123456789")
            let file = try File("f", O_RDWR)
            let nowhere = UnsafeMutableRawPointer(bitPattern: 16)!
            try fails(.badAddress, what: "write from nowhere") {
                try call("pwrite") { pwrite(file.descriptor, nowhere, 10, 0) }
            }
            try fails(.badAddress, what: "read into nowhere") {
                try call("pread") { pread(file.descriptor, nowhere, 10, 0) }
            }
            try expect(data: try file.readAll(), is: Array("0123456789".utf8), "content", path: "f")
        },
        .init("sendfile-and-splice", "sendfile(2), splice(2)") { context in
            var random = context.random()
            let data = random.bytes(300_000)
            try FS.create("f", data)
            let source = try File("f", O_RDONLY)
            let target = try File("g", O_RDWR | O_CREAT)
            var sent = 0
            while sent < data.count {
                let count = try call("sendfile") {
                    cbench_sendfile(target.descriptor, source.descriptor, nil, data.count - sent)
                }
                if count == 0 { break }
                sent += count
            }
            try expect(data: try target.readAll(), is: data, "sendfile", path: "g")
            var pipe: [CInt] = [-1, -1]
            try call("pipe") { clinux_pipe2(&pipe, O_CLOEXEC) }
            defer { pipe.forEach { close($0) } }
            let copy = try File("h", O_RDWR | O_CREAT)
            var from: Int64 = 0
            var to: Int64 = 0
            while from < Int64(data.count) {
                let got = try call("splice") { clinux_splice(source.descriptor, &from, pipe[1], nil, 65_536, 0) }
                if got == 0 { break }
                var left = got
                while left > 0 {
                    left -= try call("splice") { clinux_splice(pipe[0], nil, copy.descriptor, &to, left, 0) }
                }
            }
            try expect(data: try copy.readAll(), is: data, "splice", path: "h")
        },
        .init("copy-file-range", "copy_file_range(2)", needs: [.feature(.copyRange)]) { context in
            var random = context.random()
            let data = random.bytes(200_000)
            try FS.create("f", data)
            let source = try File("f", O_RDONLY)
            let target = try File("g", O_RDWR | O_CREAT)
            var from: Int64 = 1000
            var to: Int64 = 77
            var copied = 0
            while copied < 150_000 {
                let count = try call("copy_file_range") {
                    clinux_copy_file_range(source.descriptor, &from, target.descriptor, &to, 150_000 - copied, 0)
                }
                if count == 0 { break }
                copied += count
            }
            try expect("offset behind what was read", from, is: 151_000, path: "f")
            try expect(
                data: try target.readAll(), is: [UInt8](repeating: 0, count: 77) + Array(data[1000..<151_000]), "copy",
                path: "g")
            from = 200_000
            let end = try call("copy_file_range") {
                clinux_copy_file_range(source.descriptor, &from, target.descriptor, &to, 10, 0)
            }
            try expect("bytes copied at the end", end, is: 0, path: "f")
        },
        .init("copy-file-range-errors", "copy_file_range(2): EBADF, EINVAL, EISDIR", needs: [.feature(.copyRange)]) {
            _ in
            try FS.create("f", [UInt8](repeating: 1, count: 10_000))
            try FS.mkdir("d")
            let file = try File("f", O_RDWR)
            let reader = try File("f", O_RDONLY)
            let appender = try File("f", O_WRONLY | O_APPEND)
            let directory = try File("d", O_RDONLY)
            func copy(_ source: File, _ target: File, _ start: Int64, _ end: Int64, flags: UInt32 = 0) throws {
                var from = start
                var to = end
                try call("copy_file_range") {
                    clinux_copy_file_range(source.descriptor, &from, target.descriptor, &to, 4096, flags)
                }
            }
            try fails(.badFileDescriptor, what: "to a read-only descriptor") { try copy(file, reader, 0, 0) }
            try fails(.badFileDescriptor, what: "to an appending descriptor") { try copy(reader, appender, 0, 0) }
            try fails(.invalidArgument, what: "overlapping ranges of one file") { try copy(file, file, 0, 1000) }
            try fails(.isDirectory, .badFileDescriptor, what: "from a directory") { try copy(directory, file, 0, 0) }
            try fails(.invalidArgument, what: "unknown flags") { try copy(file, file, 0, 8192, flags: 1 << 20) }
            try expect(data: try file.readAll(), is: [UInt8](repeating: 1, count: 10_000), "content", path: "f")
        },
        .init("direct-io", "open(2): O_DIRECT", needs: [.feature(.directIO)]) { context in
            var random = context.random()
            let data = random.bytes(256 << 10)
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: data.count, alignment: 4096)
            defer { buffer.deallocate() }
            buffer.copyBytes(from: data)
            let file = try File("f", O_RDWR | O_CREAT | CLINUX_O_DIRECT)
            try expect(
                "bytes written", try call("pwrite") { pwrite(file.descriptor, buffer.baseAddress, data.count, 0) },
                is: data.count, path: "f")
            buffer.initializeMemory(as: UInt8.self, repeating: 0)
            try expect(
                "bytes read", try call("pread") { pread(file.descriptor, buffer.baseAddress, data.count, 0) },
                is: data.count, path: "f")
            try expect(data: Array(buffer), is: data, "direct read of a direct write", path: "f")
            try expect(data: try FS.contents("f"), is: data, "buffered read of a direct write", path: "f")
            try FS.truncate("f", 6000)
            let short = try call("pread") { pread(file.descriptor, buffer.baseAddress, 8192, 4096) }
            try expect("direct read across the end", short, is: 1904, path: "f")
            let end = try call("pread") { pread(file.descriptor, buffer.baseAddress, 4096, 8192) }
            try expect("direct read behind the end", end, is: 0, path: "f")
        },
        .init("direct-writes-change-times", "write(2), open(2): O_DIRECT", needs: [.feature(.directIO)]) { context in
            let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 8192, alignment: 4096)
            defer { block.deallocate() }
            block.initializeMemory(as: UInt8.self, repeating: 7)
            try FS.create("f", [UInt8](repeating: 1, count: 16_384))
            let file = try File("f", O_RDWR | CLINUX_O_DIRECT)
            // Within the file, and behind its end.
            for place in [0, 16_384] {
                let before = try file.stat()
                try context.letTheClockMove()
                try call("pwrite") { pwrite(file.descriptor, block.baseAddress, 8192, place) }
                let after = try file.stat()
                try expect(after.modified > before.modified, "a direct write at \(place) left mtime", path: "f")
                try expect(after.changed > before.changed, "a direct write at \(place) left ctime", path: "f")
            }
        },
        .init("direct-and-buffered-mixed", "open(2): O_DIRECT, NOTES", needs: [.feature(.directIO)]) { context in
            var random = context.random()
            let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 4096)
            defer { block.deallocate() }
            let direct = try File("f", O_RDWR | O_CREAT | CLINUX_O_DIRECT)
            let buffered = try File("f", O_RDWR)
            var model = [UInt8](repeating: 0, count: 64 << 10)
            try buffered.write(model, at: 0)
            for step in 0..<120 {
                let at = random.below(16) * 4096
                let data = random.bytes(4096)
                switch step % 4 {
                case 0:
                    block.copyBytes(from: data)
                    try call("pwrite") { pwrite(direct.descriptor, block.baseAddress, 4096, at) }
                    model.replaceSubrange(at..<at + 4096, with: data)
                case 1:
                    try expect(
                        data: try buffered.read(4096, at: Int64(at)), is: Array(model[at..<at + 4096]),
                        "buffered read \(step)", path: "f")
                case 2:
                    try buffered.write(data, at: Int64(at))
                    model.replaceSubrange(at..<at + 4096, with: data)
                default:
                    try call("pread") { pread(direct.descriptor, block.baseAddress, 4096, at) }
                    try expect(data: Array(block), is: Array(model[at..<at + 4096]), "direct read \(step)", path: "f")
                }
            }
            try expect(data: try FS.contents("f"), is: model, "the file at the end", path: "f")
        },
        .init("statfs-is-sane", "statvfs(3)") { context in
            let here = try FS.statfs(".")
            try expect("NAME_MAX", here.f_namemax, is: 255)
            try expect(here.f_bsize > 0, "block size is 0")
            try expect(
                here.f_bfree <= here.f_blocks, "more free blocks (\(here.f_bfree)) than blocks (\(here.f_blocks))")
            try expect(
                here.f_bavail <= here.f_bfree,
                "more available blocks (\(here.f_bavail)) than free ones (\(here.f_bfree))")
            if let source = context.source {
                let behind = try FS.statfs(source)
                try expect(
                    "blocks, as in the source", UInt64(here.f_blocks) * UInt64(here.f_frsize),
                    is: UInt64(behind.f_blocks) * UInt64(behind.f_frsize))
                try expect("files, as in the source", here.f_files, is: behind.f_files)
            }
            try FS.create("f")
            try expect("blocks, asked by a file", try FS.statfs("f").f_blocks, is: here.f_blocks, path: "f")
        },
    ])
