import BenchCore
import Glibc
import LinuxSystem
import SystemPackage

/// The daemon misbehaves on purpose, in ways that the kernel, the clients or the rest of the daemon must stand.
struct BogusCommit: Scenario {
    let number = 10
    let name = "bogus-commit"
    let summary = "a duplicate commit, an unknown commit id, a wrong queue: an error completion, and the daemon goes on"
    let oracles: Set<Oracle> = [.kernelLog, .reaped, .transport, .exit]
    let needs: Needs = [.ring, .fault]

    func run(_ cycle: Cycle) throws {
        let fault = cycle.choose(["duplicate-commit", "unknown-commit-id"])
        try cycle.serveThrough(fault: fault)
    }
}

struct BadEntryInBatch: Scenario {
    let number = 20
    let name = "bad-entry-in-batch"
    let summary = "one failing commit in each batch: the others of the batch proceed"
    let oracles: Set<Oracle> = [.reaped, .kernelLog]
    let needs: Needs = [.ring, .fault]

    func run(_ cycle: Cycle) throws {
        try cycle.serveThrough(fault: "bad-entry-in-batch", perCPU: 4)
    }
}

struct OffThreadReply: Scenario {
    let number = 19
    let name = "off-thread-reply"
    let summary = "replies come from other threads than the queue's own"
    let oracles: Set<Oracle> = [.transport, .reaped, .stored]
    let needs: Needs = [.fault]

    func run(_ cycle: Cycle) throws {
        try cycle.serveThrough(fault: "off-thread-replies", perCPU: 3)
    }
}

struct DeferredReplyStop: Scenario {
    let number = 18
    let name = "deferred-reply-stop"
    let summary = "a worker holds replies for 5 s, SIGTERM in between: no client stays blocked"
    let oracles: Set<Oracle> = [.reaped, .exit, .sanitizers, .mountGone]
    let needs: Needs = [.fault]

    func run(_ cycle: Cycle) throws {
        let daemon = try cycle.mount(fault: "hold-replies")
        try cycle.startLoad(perCPU: 2, waiting: false)
        Deadline.sleep(.milliseconds(100))
        cycle.pause(upTo: 200)
        daemon.begin(.terminate)
        // Threads that hold a reply are what the daemon's own deadline is for; it says so in its status.
        cycle.expect.exit = .anyStatus
    }
}

struct StopInProcess: Scenario {
    let number = 33
    let name = "stop-in-process"
    let summary = "stop serving while the process lives on, and serve again, on SIGUSR2; ten times over"
    let oracles: Set<Oracle> = [.sanitizers, .leaks, .exit, .mountGone]
    let needs: Needs = [.fault]

    func run(_ cycle: Cycle) throws {
        throw ScenarioObstacle("the daemon has no way to be told to serve again in the same process")
    }
}

struct KillOneQueueThread: Scenario {
    let number = 38
    let name = "kill-one-queue-thread"
    let summary =
        "one queue's thread gives up, the others live: the connection fails as a whole, at once, with the reason"
    let oracles: Set<Oracle> = [.reaped, .exit, .mountGone]
    let needs: Needs = [.ring, .fault]

    func run(_ cycle: Cycle) throws {
        let daemon = try cycle.mount(fault: "queue-dies")
        try cycle.startLoad(waiting: false)
        cycle.expect.exit = .failure
        _ = daemon.process?.wait(cycle.limit)
        if daemon.logTail.isEmpty { cycle.fail(.exit, "the daemon did not say why it ended") }
    }
}

struct CommitIDs: Scenario {
    let number = 22
    let name = "commit-id-64-bit"
    let summary = "commit ids above 2^32"
    let oracles: Set<Oracle> = [.transport]
    let needs: Needs = [.ring]

    func run(_ cycle: Cycle) throws {
        throw ScenarioObstacle(
            "the kernel numbers requests from 2 on in each connection and 2^32 of them take days: it needs a simulated kernel"
        )
    }
}
