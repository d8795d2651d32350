import BenchCore
import CBench
import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// A load of self-describing blocks.
struct IntegrityTask: Codable, Sendable {
    /// A directory on what is tested, made by the load.
    var directory: String
    /// The same directory behind the mount; nil if that is not known.
    var source: String?
    /// What the mount has not.
    var missing: [Feature] = []
    /// The file with what every block should hold; not on what is tested.
    var table: String
    var seed: UInt64
    var seconds: Double
    var processes: Int
}

/// Several processes write blocks in every way there is, read them back at once, each other's too, and leave them for a
/// verification after a remount.
struct IntegrityLoad {
    /// Files of each process, and blocks of each file.
    static let files = 3
    static let blocks = 128

    let task: IntegrityTask
    private let table: BlockTable

    init(_ task: IntegrityTask) throws {
        self.task = task
        table = try BlockTable(Path(task.table), blocks: task.processes * IntegrityLoad.files * IntegrityLoad.blocks)
    }

    /// Writes and verifies for the task's time.
    func run() throws -> TaskEnd {
        try FS.mkdir(Path(task.directory))
        let counters = try SharedMemory(4096)
        let end = cbench_now() + UInt64(task.seconds * 1e9)
        let start = cbench_now()
        let children = try (0..<task.processes).map { process in
            try Child("process \(process)") {
                try IntegrityProcess(process: process, task: task, table: table).work(until: end) {
                    done, read, written in
                    for (slot, count) in [done, read, written].enumerated() {
                        counters.bytes.storeBytes(of: count, toByteOffset: process * 64 + slot * 8, as: Int.self)
                    }
                }
            }
        }
        func total() -> Int {
            (0..<task.processes).map { counters.bytes.load(fromByteOffset: $0 * 64, as: Int.self) }.reduce(0, +)
        }
        while cbench_now() < end {
            usleep(200_000)
            Worker.report(.progress(total()))
        }
        for child in children { try child.join() }
        let behind = try verifyBehind()
        let rate = Double(total()) / (Double(cbench_now() - start) / 1e9)
        return TaskEnd(
            verdict: .passed,
            message: "\(total()) blocks written or verified by \(task.processes) processes, \(Int(rate)) blocks/s"
                + (behind == 0 ? "" : ", \(behind) looked at behind the mount"),
            seconds: 0, operations: total(), exercised: counted(counters))
    }

    /// What the processes have counted.
    private func counted(_ counters: SharedMemory) -> [Exercise: Int] {
        func sum(_ slot: Int) -> Int {
            (0..<task.processes).map { counters.bytes.load(fromByteOffset: $0 * 64 + slot * 8, as: Int.self) }
                .reduce(0, +)
        }
        return [.read: sum(1), .write: sum(2)]
    }

    /// After a sync every block must be in the source as it is on the mount.
    ///
    /// - Returns: how many blocks were looked at.
    private func verifyBehind() throws -> Int {
        guard let source = task.source else { return 0 }
        let directory = try File(Path(task.directory), O_RDONLY | O_DIRECTORY)
        let end = cbench_now() + UInt64(3e9 * Pace.inherited.factor)
        while true {
            // A file is released after its close(2) has returned.
            try call("syncfs", directory.path) { clinux_syncfs(directory.descriptor) }
            do {
                return try verifyAll(in: Path(source), when: "behind the mount")
            } catch let failure as CheckFailure {
                if cbench_now() > end { throw failure }
                usleep(50_000)
            }
        }
    }

    /// Verifies every block of what a run has left, and removes it.
    func verify() throws -> TaskEnd {
        let count = try verifyAll(in: Path(task.directory), when: "after the remount")
        FS.removeTree(Path(task.directory))
        return TaskEnd(
            verdict: .passed, message: "\(count) blocks are as they were left", seconds: 0, operations: count)
    }

    /// - Returns: how many blocks were looked at.
    private func verifyAll(in directory: Path, when: String) throws -> Int {
        var count = 0
        for process in 0..<task.processes {
            let owner = try IntegrityProcess(process: process, task: task, table: table)
            for file in 0..<IntegrityLoad.files {
                let name = directory / owner.name(of: process, file)
                if try !FS.exists(name) {
                    if owner.isEverWritten(process, file) {
                        throw CheckFailure("a file is lost", expected: "its blocks", got: "ENOENT", path: name)
                    }
                    continue
                }
                let open = try File(name, O_RDONLY)
                for index in 0..<IntegrityLoad.blocks {
                    try owner.verify(open, process, file, index, when: when)
                    count += 1
                }
                Worker.report(.progress(count))
            }
        }
        return count
    }
}

/// One process of the load.
struct IntegrityProcess {
    private let process: Int
    private let task: IntegrityTask
    private let table: BlockTable
    private let buffer: UnsafeMutableRawBufferPointer

    init(process: Int, task: IntegrityTask, table: BlockTable) throws {
        self.process = process
        self.task = task
        self.table = table
        // Never freed: a process of the load ends with it. Aligned for direct I/O.
        buffer = .allocate(byteCount: 4 * Block.size, alignment: 4096)
    }

    /// A file's name in the load's directory.
    func name(of process: Int, _ file: Int) -> Path { Path("p\(process)-f\(file)") }

    private func path(of process: Int, _ file: Int) -> Path { Path(task.directory) / name(of: process, file) }

    private func slot(_ process: Int, _ file: Int, _ index: Int) -> Int {
        (process * IntegrityLoad.files + file) * IntegrityLoad.blocks + index
    }

    func isEverWritten(_ process: Int, _ file: Int) -> Bool {
        (0..<IntegrityLoad.blocks).contains { table.committed(slot(process, file, $0)) != 0 }
    }

    /// Writes own blocks and reads own and others', until the time is over.
    ///
    /// - Parameter count: told of what is done in all, and how much of that was read and written.
    func work(until end: UInt64, count: (Int, Int, Int) -> Void) throws {
        var random = SplitMix64(seed: task.seed &+ UInt64(process) &* 7919)
        let own = try (0..<IntegrityLoad.files).map { try File(path(of: process, $0), O_RDWR | O_CREAT) }
        let direct =
            task.missing.contains(.directIO) ? nil : try? File(path(of: process, 0), O_RDWR | CLINUX_O_DIRECT)
        let map = try? own[1].map(IntegrityLoad.blocks * Block.size, writable: true, shared: true)
        // Whole from the start: a mapping has no place behind the end.
        for file in own { try file.truncate(Int64(IntegrityLoad.blocks * Block.size)) }
        var (done, read, written) = (0, 0, 0)
        while cbench_now() < end {
            let file = random.below(own.count)
            let index = random.below(IntegrityLoad.blocks)
            let kind = random.below(20)
            if kind < 10 { written += 1 } else if kind > 11 { read += 1 }
            switch kind {
            case 0...5: try write(own[file], file, index, .buffered)
            case 6, 7:
                try write(
                    file == 0 ? direct ?? own[0] : own[file], file, index,
                    file == 0 && direct != nil ? .direct : .buffered)
            case 8: try writeMapped(map, own[1], index)
            case 9: try writeSeveral(own[file], file, min(index, IntegrityLoad.blocks - 4))
            case 10: if random.below(20) == 0 { try cut(own[2], at: index) }
            case 11: if random.below(20) == 0 { try own[file].sync() }
            case 12...15: try verify(own[file], process, file, index, when: "read by its writer")
            default: try verifyOther(&random, file, index)
            }
            done += 1
            if done % 32 == 0 { count(done, read, written) }
        }
        count(done, read, written)
        try map?.sync()
    }

    private func encode(_ file: Int, _ index: Int, at place: Int = 0) -> UInt32 {
        let number = slot(process, file, index)
        let generation = table.committed(number) + 1
        table.begin(number, generation)
        Block(
            file: UInt32(process << 8 | file), index: UInt32(index), generation: generation, writer: UInt32(process),
            seed: task.seed
        )
        .encode(into: UnsafeMutableRawBufferPointer(rebasing: buffer[place * Block.size..<(place + 1) * Block.size]))
        return generation
    }

    private func write(_ open: File, _ file: Int, _ index: Int, _ way: BlockTable.Way) throws {
        let generation = encode(file, index)
        let count = try call("pwrite", open.path) {
            pwrite(open.descriptor, buffer.baseAddress, Block.size, index * Block.size)
        }
        try expect("bytes written at \(index * Block.size)", count, is: Block.size, path: open.path)
        table.commit(slot(process, file, index), generation, way, writer: UInt32(process))
    }

    private func writeMapped(_ map: Mapping?, _ open: File, _ index: Int) throws {
        guard let map else { return try write(open, 1, index, .buffered) }
        let generation = encode(1, index)
        map.bytes[index * Block.size..<(index + 1) * Block.size].copyBytes(from: buffer[..<Block.size])
        table.commit(slot(process, 1, index), generation, .mapped, writer: UInt32(process))
    }

    private func writeSeveral(_ open: File, _ file: Int, _ index: Int) throws {
        let generations = (0..<4).map { encode(file, index + $0, at: $0) }
        let parts = (0..<4).map { iovec(iov_base: buffer.baseAddress! + $0 * Block.size, iov_len: Block.size) }
        let count = try call("pwritev", open.path) { pwritev(open.descriptor, parts, 4, index * Block.size) }
        try expect("bytes written at \(index * Block.size)", count, is: 4 * Block.size, path: open.path)
        for (offset, generation) in generations.enumerated() {
            table.commit(slot(process, file, index + offset), generation, .vectored, writer: UInt32(process))
        }
    }

    /// Cuts the file off before a block and gives it its length back: what was behind reads as zeros.
    private func cut(_ open: File, at index: Int) throws {
        let generations = (index..<IntegrityLoad.blocks).map { index -> UInt32 in
            let number = slot(process, 2, index)
            table.begin(number, table.committed(number) + 1)
            return table.committed(number) + 1
        }
        try open.truncate(Int64(index * Block.size))
        try open.truncate(Int64(IntegrityLoad.blocks * Block.size))
        for (offset, generation) in generations.enumerated() {
            table.commit(slot(process, 2, index + offset), generation, .truncated, writer: UInt32(process))
        }
    }

    private func verifyOther(_ random: inout SplitMix64, _ file: Int, _ index: Int) throws {
        let other = random.below(task.processes)
        guard let open = try? File(path(of: other, file), O_RDONLY) else { return }
        try verify(open, other, file, index, when: "read by process \(process)")
    }

    /// Reads a block and fails unless it is the one that was last written; a write that is under way excuses anything.
    func verify(_ open: File, _ owner: Int, _ file: Int, _ index: Int, when: String) throws {
        let number = slot(owner, file, index)
        let before = table.committed(number)
        let wasZero = table.isZero(number)
        let count = try call("pread", open.path) {
            pread(open.descriptor, buffer.baseAddress, Block.size, index * Block.size)
        }
        if table.pending(number) != before { return }
        let place = "block at offset \(index * Block.size), \(when)"
        func wrong(_ got: String) -> CheckFailure {
            let expected = before == 0 || wasZero ? "zeros" : "generation \(before)"
            return CheckFailure(
                "\(place): expected \(expected), got \(got) (\(open.path)); history: \(table.story(number))")
        }
        if count != Block.size {
            // A file that its owner has only just made is short still.
            if before == 0 { return }
            throw wrong("a short read of \(count) bytes")
        }
        switch Block.decode(UnsafeRawBufferPointer(rebasing: buffer[..<Block.size]), seed: task.seed) {
        case .zeros: if before != 0 && !wasZero { throw wrong("zeros: the block is lost") }
        case .foreign: throw wrong("a block of another run")
        case .torn(let how): throw wrong("a damaged block: \(how)")
        case .block(let foundFile, let foundIndex, let generation, let writer):
            if foundFile != UInt32(owner << 8 | file) || foundIndex != UInt32(index) {
                throw wrong(
                    "the block of file \(foundFile >> 8)-\(foundFile & 255) at offset \(Int(foundIndex) * Block.size), written by process \(writer): it is doubled"
                )
            }
            if generation < before { throw wrong("generation \(generation): the block is stale") }
            if generation > before || wasZero { throw wrong("generation \(generation), which was not to be there") }
        }
    }
}
