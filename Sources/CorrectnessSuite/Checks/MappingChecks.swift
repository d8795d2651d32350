import CBench
import Glibc
import LinuxSystem
import SystemPackage

/// Memory mappings, beside reads and writes.
let mappingChecks = CheckGroup(
    "mmap",
    [
        .init("map-private-reads", "mmap(2): MAP_PRIVATE") { context in
            var random = context.random()
            let data = random.bytes(100_000)
            try FS.create("f", data)
            let file = try File("f", O_RDONLY)
            let map = try file.map(data.count, writable: true, shared: false)
            try expect(data: map.read(data.count, at: 0), is: data, "mapped file", path: "f")
            map.write([1, 2, 3], at: 50_000)
            try expect(data: try FS.contents("f"), is: data, "file after a write to a private mapping", path: "f")
        },
        .init("map-shared-writes", "mmap(2): MAP_SHARED; msync(2)", needs: [.feature(.sharedMapping)]) { context in
            var random = context.random()
            let data = random.bytes(50_000)
            try FS.create("f", [UInt8](repeating: 0, count: data.count))
            let file = try File("f", O_RDWR)
            let map = try file.map(data.count, writable: true, shared: true)
            map.write(data, at: 0)
            try map.sync()
            try expect(data: try file.readAll(), is: data, "read after msync", path: "f")
            try expect(data: try FS.contents("f"), is: data, "read in a new open after msync", path: "f")
            if let source = context.source {
                try expect(data: try FS.contents(source / "f"), is: data, "source after msync", path: "f")
            }
        },
        .init("map-sees-writes", "mmap(2): MAP_SHARED and write(2)", needs: [.feature(.sharedMapping)]) { _ in
            try FS.create("f", [UInt8](repeating: 0, count: 16_384))
            let file = try File("f", O_RDWR)
            let map = try file.map(16_384, writable: true, shared: true)
            for round in UInt8(1)...50 {
                let at = (Int(round) * 37) % 16_000
                try file.write([round, round], at: Int64(at))
                try expect(data: map.read(2, at: at), is: [round, round], "mapping after write \(round)", path: "f")
                map.write([round &+ 100], at: at)
                try expect(
                    data: try file.read(1, at: Int64(at)), is: [round &+ 100], "read after store \(round)", path: "f")
            }
        },
        .init("map-private-sees-no-own-stores-in-file", "mmap(2): MAP_PRIVATE copies on write") { _ in
            try FS.create("f", [UInt8](repeating: 1, count: 8192))
            let file = try File("f", O_RDWR)
            let map = try file.map(8192, writable: true, shared: false)
            map.write([9], at: 0)
            try file.write([5], at: 1)
            try expect(data: map.read(1, at: 0), is: [9], "private store", path: "f")
            try expect(data: try file.read(2, at: 0), is: [1, 5], "file", path: "f")
        },
        .init("map-between-processes", "mmap(2): MAP_SHARED between processes", needs: [.feature(.sharedMapping)]) {
            _ in
            try FS.create("f", [UInt8](repeating: 0, count: 8192))
            let there = try Gate()
            let back = try Gate()
            let child = try Child("other process") {
                let map = try File("f", O_RDWR).map(8192, writable: true, shared: true)
                try there.pass()
                try expect(data: map.read(4, at: 4096), is: Array("ping".utf8), "store of the other process", path: "f")
                map.write(Array("pong".utf8), at: 0)
                back.open()
            }
            let map = try File("f", O_RDWR).map(8192, writable: true, shared: true)
            map.write(Array("ping".utf8), at: 4096)
            there.open()
            try child.join()
            try back.pass()
            try expect(data: map.read(4, at: 0), is: Array("pong".utf8), "store of the other process", path: "f")
        },
        .init("map-behind-the-end", "mmap(2): SIGBUS, zeros to the end of the page") { _ in
            try FS.create("f", [UInt8](repeating: 7, count: 5000))
            let file = try File("f", O_RDWR)
            let map = try file.map(16_384, writable: false, shared: false)
            try expect(
                data: map.read(3192, at: 5000), is: [UInt8](repeating: 0, count: 3192), "rest of the last page",
                path: "f")
            try expect("signal of a read behind the last page", faulting(map, at: 8192), is: SIGBUS, path: "f")
        },
        .init("map-of-truncated-file", "mmap(2), ftruncate(2): SIGBUS", needs: [.feature(.sharedMapping)]) { _ in
            try FS.create("f", [UInt8](repeating: 7, count: 16_384))
            let file = try File("f", O_RDWR)
            let map = try file.map(16_384, writable: true, shared: true)
            try expect(data: map.read(1, at: 12_288), is: [7], "before", path: "f")
            try file.truncate(4096)
            try expect("signal of a read behind the new end", faulting(map, at: 12_288), is: SIGBUS, path: "f")
            try file.truncate(16_384)
            try expect(data: map.read(1, at: 12_288), is: [0], "after the file has grown again", path: "f")
            try expect(data: map.read(1, at: 0), is: [7], "what was never cut off", path: "f")
        },
        .init("map-of-growing-file", "mmap(2), write(2)") { _ in
            try FS.create("f", [UInt8](repeating: 1, count: 100))
            let file = try File("f", O_RDWR)
            let map = try file.map(8192, writable: false, shared: true)
            try expect(data: map.read(1, at: 100), is: [0], "behind the end", path: "f")
            try file.write([UInt8](repeating: 2, count: 6000), at: 100)
            try expect(data: map.read(2, at: 100), is: [2, 2], "within the first page", path: "f")
            try expect(data: map.read(1, at: 6000), is: [2], "within the second page", path: "f")
        },
        .init("map-of-unlinked-file", "mmap(2), unlink(2)", needs: [.feature(.sharedMapping)]) { _ in
            let file = try File("f", O_RDWR | O_CREAT)
            try file.write([UInt8](repeating: 3, count: 8192), at: 0)
            let map = try file.map(8192, writable: true, shared: true)
            try FS.unlink("f")
            map.write([4], at: 5000)
            try map.sync()
            try expect(data: try file.read(1, at: 5000), is: [4], "store after unlink", path: "f")
        },
        .init("map-outlives-its-descriptor", "mmap(2): closing does not unmap", needs: [.feature(.sharedMapping)]) {
            _ in
            try FS.create("f", [UInt8](repeating: 3, count: 8192))
            let map: Mapping
            do {
                let file = try File("f", O_RDWR)
                map = try file.map(8192, writable: true, shared: true)
                try file.close()
            }
            map.write(Array("late".utf8), at: 4096)
            try map.sync()
            try expect(
                data: Array(try FS.contents("f")[4096..<4100]), is: Array("late".utf8), "store after close", path: "f")
        },
        .init("map-permissions", "mmap(2): EACCES") { _ in
            try FS.create("f", [UInt8](repeating: 3, count: 4096))
            let reader = try File("f", O_RDONLY)
            let writer = try File("f", O_WRONLY)
            try fails(.permissionDenied, what: "writable shared mapping of a read-only descriptor") {
                try reader.map(4096, writable: true, shared: true)
            }
            try fails(.permissionDenied, what: "mapping of a write-only descriptor") {
                try writer.map(4096, writable: false, shared: true)
            }
        },
        .init("map-store-changes-times", "mmap(2): st_mtime after msync(2)", needs: [.feature(.sharedMapping)]) { _ in
            try FS.create("f", [UInt8](repeating: 3, count: 4096))
            try FS.setTimes("f", accessed: FileTime(1000), modified: FileTime(1000))
            let file = try File("f", O_RDWR)
            let map = try file.map(4096, writable: true, shared: true)
            map.write([1], at: 0)
            try map.sync()
            try file.close()
            try expect(
                "seconds since the store", FileTime.now.seconds - (try FS.stat("f").modified.seconds), in: -2...60,
                path: "f")
        },
        .init("map-many-pages-at-random", "mmap(2)", needs: [.feature(.sharedMapping)]) { context in
            var random = context.random()
            let pages = 512
            try FS.create("f", [UInt8](repeating: 0, count: pages * 4096))
            let file = try File("f", O_RDWR)
            let map = try file.map(pages * 4096, writable: true, shared: true)
            var model = [UInt8](repeating: 0, count: pages * 4096)
            for _ in 0..<1000 {
                let at = random.below(pages * 4096 - 8)
                let value = random.bytes(8)
                map.write(value, at: at)
                model.replaceSubrange(at..<at + 8, with: value)
            }
            try map.sync()
            try expect(data: try FS.contents("f"), is: model, "1000 stores", path: "f")
        },
    ])

/// The signal that reading one byte of a mapping raises; 0 for none.
private func faulting(_ map: Mapping, at offset: Int) -> CInt {
    cbench_read_fault(map.bytes.baseAddress! + offset)
}
