import BenchCore
import Glibc
import LinuxSystem
import SystemPackage

/// Clients die, are interrupted, or ask for more than fits; then everything ends in order.
struct ClientKilledWhileQueued: Scenario {
    let number = 8
    let name = "client-killed-while-queued"
    let summary = "every entry busy and the queues full, SIGKILL every other client; the others go on"
    let oracles: Set<Oracle> = [.reaped, .kernelLog, .transport]
    let depth: Int? = 2

    func run(_ cycle: Cycle) throws {
        cycle.expect.connectionEnds = false
        let daemon = try cycle.mount()
        try cycle.startLoad(perCPU: 6)
        cycle.pause(upTo: 40)
        cycle.aboutToAct()
        // Nobody answers: what clients ask for now fills the entries, and then the queue.
        daemon.process?.signal(SIGSTOP)
        Deadline.sleep(.milliseconds(10))
        cycle.kill(cycle.clients.filter { $0.index % 2 == 1 })
        cycle.pause(upTo: 20)
        daemon.process?.signal(SIGCONT)
        cycle.expectProgress()
        cycle.stopLoad()
        cycle.checkTransport()
    }
}

struct InterruptedClients: Scenario {
    let number = 9
    let name = "interrupted-clients"
    let summary = "a storm of signals at waiting clients, then an orderly unmount"
    let oracles: Set<Oracle> = [.reaped, .kernelLog, .errors, .exit, .mountGone]

    func run(_ cycle: Cycle) throws {
        cycle.expect.connectionEnds = false
        cycle.expect.allowedErrors = [.interrupted]
        try cycle.mount()
        try cycle.startLoad(perCPU: 3)
        let end = Deadline(after: .milliseconds(cycle.settings.longestPause * 2))
        while !end.hasPassed {
            for client in cycle.clients { client.process.signal(SIGUSR1) }
            cycle.pause(upTo: 2)
        }
        cycle.expectProgress()
    }
}

struct NoReplyStorm: Scenario {
    let number = 21
    let name = "no-reply-storm"
    let summary = "a storm of lookups and forgets; afterwards every entry is free again"
    let oracles: Set<Oracle> = [.transport, .leaks, .reaped]
    let depth: Int? = 4

    func run(_ cycle: Cycle) throws {
        // Making and removing names is what makes the kernel forget inodes.
        try cycle.serveAndCount(.metadata, perCPU: 4) { cycle.pause(upTo: 200) }
    }
}

struct EqualLoads: Scenario {
    let number = 43
    let name = "equal-rounds"
    let summary = "the same load over and over: what the daemon holds does not grow from round to round"
    let oracles: Set<Oracle> = [.reaped, .leaks, .transport, .exit, .mountGone]

    func run(_ cycle: Cycle) throws {
        cycle.expect.connectionEnds = false
        let daemon = try cycle.mount()
        let rounds = EqualRounds(
            on: daemon, bench: cycle.bench, scratch: cycle.scratch, operations: cycle.settings.isQuick ? 1000 : 3000)
        switch rounds.run(seed: cycle.random.next()) {
        case .steady: cycle.report(.leaks, .passed)
        case .growing(let words): cycle.fail(.leaks, words)
        case .unknown(let why): cycle.report(.leaks, .unavailable(why))
        }
        cycle.saveEvidence("latencies", rounds.latencies)
        if let stall = rounds.stall { cycle.fail(.reaped, stall) }
        // Its threads are all there by now.
        try cycle.countRefusals {
            try cycle.startLoad(perCPU: 1)
            Deadline.sleep(.milliseconds(300))
            cycle.stopLoad()
        }
        cycle.checkSpin()
    }
}

struct EntryReuse: Scenario {
    let number = 23
    let name = "entry-reuse"
    let summary = "depth 1 and all opcodes mixed: every entry is used again and again, and all data is checked"
    let oracles: Set<Oracle> = [.transport, .stored, .errors]
    let depth: Int? = 1

    func run(_ cycle: Cycle) throws {
        try cycle.serveAndCount(.mixed, perCPU: 3) { Deadline.sleep(.milliseconds(cycle.settings.longestPause)) }
    }
}

struct BackgroundLimit: Scenario {
    let number = 29
    let name = "background-limit"
    let summary = "max_background 1 and a flood of readahead and writeback, then SIGTERM"
    let oracles: Set<Oracle> = [.reaped, .exit, .mountGone]

    func run(_ cycle: Cycle) throws {
        let daemon = try cycle.mount()
        if let connection = daemon.connection {
            let error = IsolatedCall.write("\(FuseControl.root)/\(connection.number)/max_background", text: "1\n").run()
            if let error { throw ScenarioObstacle("max_background could not be set: \(error)") }
        }
        try cycle.startLoad(.mmap, perCPU: 1)
        try cycle.startLoad(.read, perCPU: 2)
        cycle.pause()
        cycle.expectProgress()
        cycle.aboutToAct()
        daemon.begin(.terminate)
    }
}

struct AsynchronousThenClose: Scenario {
    let number = 32
    let name = "aio-then-close"
    let summary = "asynchronous direct I/O in flight when the file is closed for the last time, then SIGTERM"
    let oracles: Set<Oracle> = [.reaped, .mountGone, .exit, .kernelLog]

    func run(_ cycle: Cycle) throws {
        let daemon = try cycle.mount()
        let files = (0..<3).map { cycle.scratch.appending("aio-\($0)") }
        for (index, file) in files.enumerated() {
            let folder = daemon.root.appending("aio-\(index)").string
            _ = try cycle.bench.spawn(["mkdir", folder]).wait(cycle.limit)
            cycle.helpers.append(
                try cycle.bench.spawn(
                    [cycle.bench.program]
                        + BenchHelper.asynchronous(folder: folder, status: file.string).arguments))
        }
        for (file, helper) in zip(files, cycle.helpers) {
            let works = Deadline(after: cycle.limit).wait {
                LoadStatus.read(file)?.operations ?? 0 > 10 || !helper.isRunning
            }
            if works, !helper.isRunning, LoadStatus.read(file)?.firstError?.errno == .invalidArgument {
                throw ScenarioObstacle("no direct I/O on this mount")
            }
            if !works || !helper.isRunning { return cycle.fail(.reaped, "asynchronous I/O does not get to work") }
        }
        cycle.pause()
        daemon.begin(.terminate)
        for (file, helper) in zip(files, cycle.helpers) {
            if helper.wait(cycle.limit) == nil {
                cycle.fail(.reaped, "asynchronous I/O never completes (pid \(helper.id))")
            }
            // ENOENT: the file was closed, the mount went, and its next open found the folder below.
            for (errno, _) in LoadStatus.read(file)?.errors ?? [:]
            where !cycle.isAllowed(errno) && errno != .noSuchFileOrDirectory {
                cycle.fail(.errors, "asynchronous I/O got \(errno.name)")
            }
        }
    }
}

struct SyncStoppedDaemon: Scenario {
    let number = 31
    let name = "sync-stopped-daemon"
    let summary = "dirty pages, SIGSTOP the daemon, sync elsewhere: it returns once SIGCONT (or an abort) comes"
    let oracles: Set<Oracle> = [.reaped, .mountGone, .exit]

    func run(_ cycle: Cycle) throws {
        let daemon = try cycle.mount()
        try cycle.startLoad(.mmap, perCPU: 1)
        cycle.pause(upTo: 60)
        cycle.aboutToAct()
        daemon.process?.signal(SIGSTOP)
        // sync(2) would make the whole machine wait; syncfs(2) waits for the same pages.
        let whole = cycle.settings.allowHostChanges
        let sync = try ChildProcess.isolated(whole ? .sync : .syncFileSystem(daemon.root.string))
        cycle.pause(upTo: 200)
        let aborted = cycle.choose([true, false])
        if aborted { daemon.begin(.abort) }
        // A ring hands requests over in the daemon's own threads: what was on its way waits until they go on (Linux 6.18).
        if !aborted || cycle.mayUseRing { daemon.process?.signal(SIGCONT) }
        if sync.wait(cycle.limit) == nil {
            cycle.hung = true
            cycle.saveEvidence("sync-stack", ProcessSnapshot(sync.id).text)
            cycle.fail(.reaped, "sync does not return after \(aborted ? "the abort" : "SIGCONT")")
            sync.kill(within: .milliseconds(100))
        }
        daemon.process?.signal(SIGCONT)
        if !aborted { daemon.begin(.terminate) }
        cycle.expect.exit = aborted ? .anyStatus : .clean
    }
}
