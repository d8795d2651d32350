import BenchCore
import Glibc
import LinuxSystem
import SystemPackage

/// The connection is aborted through its control file.
struct AbortVersusCommit: Scenario {
    let number = 4
    let name = "abort-vs-commit"
    let summary = "abort under a flood of replies"
    let oracles: Set<Oracle> = [.reaped, .kernelLog, .errors, .exit, .mountGone]

    func run(_ cycle: Cycle) throws {
        let load: LoadKind? = cycle.settings.load == .mixed ? .metadata : nil
        try cycle.endUnderLoad(by: .abort, load, perCPU: 3, exit: .anyStatus)
    }
}

struct AbortCloseLoop: Scenario {
    let number = 5
    let name = "abort-close-loop"
    let summary = "abort, let the daemon close its descriptors, mount again; in a loop"
    let oracles: Set<Oracle> = [.mountGone, .kernelLog, .leaks]

    func run(_ cycle: Cycle) throws {
        cycle.expect.exit = .anyStatus
        try cycle.mountRepeatedly(endedBy: .abort) { cycle.pause(upTo: 5) }
    }
}

struct AbortUncommitted: Scenario {
    let number = 7
    let name = "abort-uncommitted"
    let summary = "the daemon is stopped with requests in its hands, the connection aborted, the replies come late"
    let oracles: Set<Oracle> = [.reaped, .kernelLog, .errors, .exit, .mountGone]

    func run(_ cycle: Cycle) throws {
        let daemon = try cycle.mount()
        try cycle.startLoad(perCPU: 3)
        cycle.pause(upTo: 60)
        cycle.aboutToAct()
        // Stopped in the midst of its work, it has taken requests that it has not answered.
        daemon.process?.signal(SIGSTOP)
        daemon.begin(.abort)
        // On /dev/fuse the abort alone must free the clients. A ring hands requests over in the daemon's own threads, so
        // those that were on their way wait until it goes on (Linux 6.18).
        if !cycle.mayUseRing { cycle.reap() } else { cycle.pause(upTo: 100) }
        daemon.process?.signal(SIGCONT)
        cycle.expect.exit = .anyStatus
    }
}

struct BlockedHandlerAbort: Scenario {
    let number = 28
    let name = "blocked-handler-abort"
    let summary = "the backing filesystem does not answer; abort (or, every other cycle, terminate) the daemon"
    let oracles: Set<Oracle> = [.exit, .reaped, .mountGone]

    func run(_ cycle: Cycle) throws {
        // The source is itself a mount, whose daemon is stopped: every backing call then blocks.
        let below = try cycle.bench.makeFolder("below-\(cycle.bench.nextNumber())")
        let inner = try cycle.start(mountPoint: below)
        cycle.others.append(inner)
        let daemon = try cycle.mount(source: below)
        try cycle.startLoad(.metadata, perCPU: 1)
        cycle.pause(upTo: 40)
        cycle.aboutToAct()
        inner.process?.signal(SIGSTOP)
        Deadline.sleep(.milliseconds(20))
        daemon.begin(cycle.choose([true, false]) ? .abort : .terminate)
        // Which requests the inner daemon had taken cannot be chosen, and those that it has cannot be interrupted.
        cycle.expect.exit = .anyStatus
        if isIdle(daemon, cycle) {
            cycle.fail(
                .exit, "the daemon does not end while its backing calls block, though none is uninterruptible")
        }
        inner.process?.signal(SIGCONT)
    }

    /// Waits for the daemon to end, unless it cannot for as long as the inner one is stopped: a call is uninterruptible, or it exits and
    /// waits for the flush of what it had open. Then there is nothing to wait for.
    ///
    /// - Returns: whether it could have ended, and has not.
    private func isIdle(_ daemon: MountedDaemon, _ cycle: Cycle) -> Bool {
        guard let process = daemon.process else { return false }
        let deadline = ContinuousClock.now + min(cycle.limit, cycle.bench.pace(.seconds(5)))
        var looks = 0
        while process.wait(.milliseconds(100)) == nil {
            let snapshot = ProcessSnapshot(process.id)
            if snapshot.threads.isEmpty { return false }
            looks = snapshot.blocked.isEmpty && !snapshot.isExiting ? 0 : looks + 1
            if looks == 10 { return false }
            if looks == 0 && ContinuousClock.now > deadline { return true }
        }
        return false
    }
}
