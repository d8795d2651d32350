import BenchCore
import Glibc
import LinuxSystem
import SystemPackage

/// The connection ends, or fails, while it is being set up.
struct UnmountVersusRegister: Scenario {
    let number = 3
    let name = "unmount-vs-register"
    let summary = "abort or unmount 0 to 50 ms after the mount, before the transport is ready"
    let oracles: Set<Oracle> = [.exit, .mountGone, .kernelLog, .leaks, .newMount]

    func run(_ cycle: Cycle) throws {
        let daemon = try cycle.mount(until: .mounted)
        cycle.pause(upTo: 50)
        let methods: [StopMethod] = [.abort, .unmount, .lazyUnmount, .forcedUnmount]
        cycle.act(cycle.choose(methods), on: daemon)
        // A connection that ends before INIT is a failure to some daemons and an orderly end to others.
        cycle.expect.exit = .anyStatus
    }
}

struct ParallelRegister: Scenario {
    let number = 11
    let name = "parallel-register"
    let summary = "all queue threads register at the same instant and requests come at once; in a loop"
    let oracles: Set<Oracle> = [.kernelLog, .mountGone]
    let depth: Int? = 32

    func run(_ cycle: Cycle) throws {
        try cycle.mountRepeatedly(until: .mounted, endedBy: .unmount) {
            // Clients on every CPU wait for the queues to be ready.
            try cycle.startLoad(.metadata, perCPU: 2)
            cycle.stopLoad()
        }
    }
}

struct RingNeverReady: Scenario {
    let number = 12
    let name = "ring-never-ready"
    let summary = "one queue is never registered; a client waits; abort"
    let oracles: Set<Oracle> = [.reaped, .mountGone]
    let needs: Needs = [.ring, .fault]

    func run(_ cycle: Cycle) throws {
        let daemon = try cycle.mount(fault: "queue-never-registers", until: .mounted)
        // The kernel holds these back, since the ring is not ready.
        try cycle.startLoad(.metadata, perCPU: 1, waiting: false)
        cycle.pause(upTo: 300)
        daemon.begin(.abort)
        cycle.expect.exit = .anyStatus
    }
}

struct SetupRefused: Scenario {
    let number = 13
    let name = "setup-refused"
    let summary =
        "io_uring is refused by a filter: the daemon serves /dev/fuse instead or fails the mount, and never hangs"
    let oracles: Set<Oracle> = [.exit, .mountGone]
    let needs: Needs = [.ring]

    func run(_ cycle: Cycle) throws {
        let prefix = [cycle.bench.program] + BenchHelper.refuseRing([]).arguments
        do {
            try cycle.mount(prefix: prefix)
            // It fell back: then it must work.
            cycle.expect.connectionEnds = false
            try cycle.startLoad(perCPU: 1)
            cycle.pause(upTo: 40)
        } catch DaemonError.exited(let status, let log) {
            cycle.checkRefusal(status, log)
        } catch let error as DaemonError {
            cycle.fail(.exit, "\(error)")
        }
    }
}

struct EarlyRegister: Scenario {
    let number = 14
    let name = "early-register"
    let summary = "register entries before INIT is answered: the kernel says EAGAIN, and the daemon copes"
    let oracles: Set<Oracle> = [.transport, .exit, .mountGone]
    let needs: Needs = [.ring, .fault]

    func run(_ cycle: Cycle) throws {
        try cycle.serveOrFail(fault: "early-register")
    }
}

struct QueueThreadFails: Scenario {
    let number = 15
    let name = "queue-thread-fails"
    let summary =
        "the last queue's thread cannot be started: another transport is used or the mount fails, without a spin"
    let oracles: Set<Oracle> = [.exit, .mountGone, .leaks]
    let needs: Needs = [.ring, .fault]

    func run(_ cycle: Cycle) throws {
        try cycle.serveOrFail(fault: "queue-thread-fails")
    }
}

struct AddressSpaceLimit: Scenario {
    let number = 47
    let name = "address-space-limit"
    let summary = "starts with less and less address space: each serves, or fails cleanly and says why"
    let oracles: Set<Oracle> = [.exit, .mountGone]

    func run(_ cycle: Cycle) throws {
        let daemon = try cycle.mount()
        guard let needed = daemon.process.flatMap({ DaemonResources.peakAddressSpace(of: $0.id) }) else {
            throw ScenarioObstacle("how much address space the daemon takes is not known")
        }
        cycle.expect.exit = .anyStatus
        guard isGone(daemon, cycle, "unlimited address space") else { return }
        let steps = cycle.settings.isQuick ? 6 : 16
        for step in 0..<steps {
            // From a little more than it takes down to next to nothing, at points that the seed chooses.
            let share = 1.1 - (Double(step) + Double.random(in: 0..<1, using: &cycle.random)) / Double(steps)
            let limit = max(1 << 20, Int(Double(needed) * share) & ~4095)
            guard serves(cycle, limit) else { return }
        }
    }

    /// Mounts with this much address space.
    ///
    /// - Returns: false if the cycle has failed.
    private func serves(_ cycle: Cycle, _ limit: Int) -> Bool {
        let words = "\(limit >> 10) KiB of address space"
        do throws(DaemonError) {
            return isGone(try cycle.mount(prefix: ["prlimit", "--as=\(limit):\(limit)"]), cycle, words)
        } catch {
            if case .exited(let status, let log) = error {
                cycle.checkRefusal(status, log, with: words)
                return cycle.reports.allSatisfy { !$0.isFailure }
            }
            cycle.hung = true
            cycle.fail(.exit, "with \(words): \(error)")
            return false
        }
    }

    /// Unmounts; whatever its status, the daemon must go.
    private func isGone(_ daemon: MountedDaemon, _ cycle: Cycle, _ words: String) -> Bool {
        let stop = daemon.stop(.unmount, within: cycle.limit)
        if stop.isComplete, stop.unmountError == nil { return true }
        if stop.isComplete, stop.unmountError == .invalidArgument, let status = stop.exit {
            // It was gone before: threads that it starts once it serves can be refused, too.
            cycle.checkRefusal(status, daemon.logTail, with: words)
            return cycle.reports.allSatisfy { !$0.isFailure }
        }
        cycle.hung = true
        cycle.fail(.mountGone, "with \(words): \(stop)")
        return false
    }
}

struct StartupAllocationFails: Scenario {
    let number = 16
    let name = "startup-allocation-fails"
    let summary = "a memory mapping or descriptor of the start is refused: a clean failure or another transport"
    let oracles: Set<Oracle> = [.exit, .mountGone, .leaks, .sanitizers]

    func run(_ cycle: Cycle) throws {
        if cycle.settings.allowFaults && cycle.mayUseRing && cycle.target.isOurs && cycle.choose([true, false]) {
            return try cycle.serveOrFail(fault: "allocation-fails")
        }
        // Descriptors run out at a point that the seed chooses; daemons differ in how many they need.
        let count = Int.random(in: 4...24, using: &cycle.random)
        try cycle.serveOrFail(prefix: ["prlimit", "--nofile=\(count):\(count)"])
    }
}
