import BenchCore
import Glibc
import SystemPackage

/// The daemon is told to end.
struct IdleTerminate: Scenario {
    let number = 17
    let name = "idle-sigterm"
    let summary = "SIGTERM while nothing is asked of the daemon"
    let oracles: Set<Oracle> = [.exit, .mountGone]

    func run(_ cycle: Cycle) throws {
        try cycle.mount()
        cycle.pause(upTo: 50)
        cycle.expect.unmountsItself = true
        cycle.daemon?.begin(.terminate)
    }
}

struct RandomTerminate: Scenario {
    let number = 26
    let name = "random-sigterm"
    let summary = "SIGTERM under load at a random moment: from before the ring is ready to well into the work"
    let oracles: Set<Oracle> = [.exit, .mountGone, .reaped, .kernelLog, .newMount]

    func run(_ cycle: Cycle) throws {
        cycle.expect.exit = .clean
        switch Int.random(in: 0..<4, using: &cycle.random) {
        case 0:
            try cycle.mount(until: .mounted)
            cycle.pause(upTo: 15)
            // Told to end before it could agree with the kernel, it may say that it failed.
            cycle.expect.exit = .anyStatus
        case 1:
            try cycle.mount()
            try cycle.startLoad(waiting: false)
            cycle.pause(upTo: 40)
        default:
            try cycle.mount()
            try cycle.startLoad()
            cycle.pause()
            cycle.aboutToAct()
        }
        cycle.expect.unmountsItself = true
        cycle.daemon?.begin(.terminate)
    }
}

struct UndrainedCommands: Scenario {
    let number = 35
    let name = "undrained-commands"
    let summary = "stop queues that have 64 commands each parked in the kernel, after some load"
    let oracles: Set<Oracle> = [.exit, .leaks]
    let depth: Int? = 64

    func run(_ cycle: Cycle) throws {
        let daemon = try cycle.mount()
        try cycle.startLoad(perCPU: 1)
        cycle.pause(upTo: 20)
        cycle.stopLoad()
        cycle.act(cycle.choose([true, false]) ? .terminate : .unmount, on: daemon)
    }
}

struct StopAtDepthOne: Scenario {
    let number = 48
    let name = "stop-at-depth-1"
    let summary = "each queue has one entry, and a client waits for a lock: SIGTERM, abort or umount -f under load"
    let oracles: Set<Oracle> = [.reaped, .exit, .mountGone, .errors]
    let depth: Int? = 1

    func run(_ cycle: Cycle) throws {
        let daemon = try cycle.mount()
        let locked = BenchHelper.holdLock(path: daemon.root.appending("locked").string)
        for _ in 0..<2 { cycle.helpers.append(try cycle.bench.spawn([cycle.bench.program] + locked.arguments)) }
        try cycle.startLoad(perCPU: 3)
        cycle.pause()
        cycle.aboutToAct()
        // Where the daemon keeps no locks, the kernel has the one wait for the other, whatever becomes of the connection.
        let waiters = cycle.helpers.filter {
            ProcessSnapshot($0.id).threads.contains { $0.stack.contains("request_wait_answer") }
        }
        let method: StopMethod = cycle.choose([.terminate, .terminate, .abort, .forcedUnmount])
        daemon.begin(method, within: cycle.limit)
        cycle.expect.exit = method == .terminate ? .clean : .anyStatus
        cycle.reap()
        for waiter in waiters where waiter.wait(cycle.limit) == nil {
            cycle.hung = true
            cycle.fail(.reaped, "a client that waits for a lock (pid \(waiter.id)) hangs after \(method.rawValue)")
        }
        // Whatever status is good after the act: that threads of its own did not end is not, and our daemon says so.
        if cycle.target.isOurs, let process = daemon.process, cycle.end(of: process) == .exited(70) {
            cycle.fail(.exit, "after \(method.rawValue) threads of the daemon did not end")
        }
        // Who has the lock has the file open, and with it the connection.
        for helper in cycle.helpers {
            helper.signal(SIGTERM)
            _ = helper.wait(cycle.limit)
        }
    }
}

struct StopWhileStopping: Scenario {
    let number = 39
    let name = "stop-while-stopping"
    let summary = "SIGTERM, umount -l, abort, SIGKILL, all within 10 ms under load"
    let oracles: Set<Oracle> = [.reaped, .exit, .mountGone, .kernelLog]

    func run(_ cycle: Cycle) throws {
        let daemon = try cycle.mount()
        try cycle.startLoad()
        cycle.pause()
        cycle.aboutToAct()
        daemon.begin(.terminate)
        cycle.pause(upTo: 3)
        daemon.begin(.lazyUnmount)
        cycle.pause(upTo: 3)
        daemon.begin(.abort)
        cycle.pause(upTo: 3)
        daemon.begin(.kill)
        cycle.expect.exit = .any
    }
}
