import BenchCore
import LinuxSystem

/// The jobs that are there.
public enum SpeedJobs {
    /// So many are "many" where nobody says: enough to keep every core busy on both sides of the mount.
    public static var many: Int {
        let cores = (try? CPUSet.online().count) ?? 2
        return min(16, max(4, 4 * cores))
    }

    /// All of them by name, with one client.
    public static let all: [SpeedJob] = data + files + tools

    private static let data: [SpeedJob] = {
        var jobs: [SpeedJob] = []
        for (name, pattern, size, words) in [
            ("randread-4k", "randread", 4096, "4 KiB reads in random order"),
            ("randwrite-4k", "randwrite", 4096, "4 KiB writes in random order"),
            ("read-1m", "read", 1 << 20, "1 MiB reads in order"),
            ("write-1m", "write", 1 << 20, "1 MiB writes in order"),
        ] {
            let direct = DataWork(pattern, size, .direct)
            let buffered = DataWork(pattern, size, .buffered)
            jobs.append(SpeedJob("\(name)-direct", .data(direct), summary: "\(words), O_DIRECT"))
            jobs.append(
                SpeedJob("\(name)-buffered", .data(buffered), summary: "\(words), through an empty page cache"))
            guard direct.isWrite else { continue }
            jobs.append(
                SpeedJob(
                    "\(name)-writeback", .data(buffered), mountOptions: ["writeback"],
                    summary: "\(words), through a page cache that is written back, with the fsync at the end"))
        }
        jobs.append(
            SpeedJob(
                "fsync-4k", .data(DataWork("randwrite", 4096, .buffered, syncs: true)),
                summary: "4 KiB writes in random order, each with an fsync"))
        jobs.append(
            SpeedJob(
                "mmap-randread-4k", .data(DataWork("randread", 4096, .mapped)),
                summary: "4 KiB reads in random order through a mapping, with an empty page cache"))
        return jobs
    }()

    private static let files: [SpeedJob] = [
        SpeedJob("create", .files(.create), summary: "files are created, each client in a folder of its own"),
        SpeedJob("stat", .files(.stat), summary: "files are asked for their attributes by a mount that knows none yet"),
        SpeedJob("unlink", .files(.unlink), summary: "files are removed"),
    ]

    private static let tools: [SpeedJob] = [
        SpeedJob("list", .tool(.list), clients: 0, summary: "a tree is walked, and each entry's attributes are read"),
        SpeedJob("rename", .tool(.rename), clients: 0, summary: "files are renamed"),
        SpeedJob("untar", .tool(.untar), clients: 0, summary: "tar unpacks small files"),
        SpeedJob("git-status", .tool(.gitStatus), clients: 0, summary: "git looks for changes in a work tree"),
        SpeedJob("compile", .tool(.compile), clients: 0, summary: "cc compiles files that include many others"),
    ]

    public static func named(_ name: String) -> SpeedJob? { all.first { $0.name == name } }

    /// Each job with each number of clients and each depth, where that means something to it.
    public static func variants(_ jobs: [SpeedJob], clients: [Int], depths: [Int]) -> [SpeedJob] {
        jobs.flatMap { job -> [SpeedJob] in
            if job.clients == 0 { return [job] }
            return clients.flatMap { number -> [SpeedJob] in
                // A depth is for work that does not wait for each of its operations.
                let isDeep = if case .data(let work) = job.work { work.way == .direct } else { false }
                return (isDeep ? depths : [1]).map { depth in
                    var job = job
                    (job.clients, job.depth) = (number, depth)
                    return job
                }
            }
        }
    }

    /// What is run where nobody names any: reading and writing by one client and by many, metadata by many.
    public static var usual: [SpeedJob] {
        let slow = data.filter { ["fsync-4k", "mmap-randread-4k"].contains($0.name) }
        return variants(data.filter { !slow.contains($0) }, clients: [1, many], depths: [1])
            + variants(slow, clients: [1], depths: [1]) + variants([named("create")!], clients: [1], depths: [1])
            + variants(files, clients: [many], depths: [1]) + tools
    }

    /// A few of them, in which transports are known to differ: few, since a word wants rounds, and all share the time.
    public static var quick: [SpeedJob] {
        let some: [(String, [Int])] = [
            ("randread-4k-direct", [1, many]), ("read-1m-buffered", [1]), ("write-1m-writeback", [many]),
            ("create", [many]),
        ]
        return some.flatMap { name, clients in variants([named(name)!], clients: clients, depths: [1]) }
    }
}
