import BenchCore
import Glibc
import LinuxSystem
import SystemPackage

/// Requests share payload buffers, and their data lies in the clients' pages (Linux 7.3).
struct PoolRunsDry: Scenario {
    let number = 44
    let name = "pool-runs-dry"
    let summary = "far more entries than payload buffers: requests wait in the kernel, and each client gets on"
    let oracles: Set<Oracle> = [.reaped, .transport, .stored, .leaks, .errors, .exit, .mountGone]
    let needs: Needs = .ring
    let depth: Int? = 32

    func run(_ cycle: Cycle) throws {
        cycle.expect.connectionEnds = false
        // Two buffers for each queue, and all data goes through them.
        try cycle.mountWithPool(["pool=2M", "no_zero_copy"])
        cycle.rememberResources()
        try cycle.startLoad(perCPU: 8)
        cycle.pause()
        cycle.expectProgress()
        cycle.stopLoad()
        cycle.checkTransport()
        cycle.checkResources {
            try cycle.startLoad(perCPU: 8)
            cycle.pause()
        }
    }
}

struct KillWithPages: Scenario {
    let number = 45
    let name = "kill9-with-pages"
    let summary = "clients' pages are in the rings' tables of buffers: SIGKILL every other client, then the daemon"
    let oracles: Set<Oracle> = [.reaped, .mountGone, .kernelLog, .newMount, .stored, .leaks, .errors]
    let needs: Needs = .ring

    func run(_ cycle: Cycle) throws {
        let daemon = try cycle.mountWithPool(["zero_copy"])
        try cycle.startLoad(.read, perCPU: 3)
        try cycle.startLoad(.write, perCPU: 3)
        cycle.pause()
        cycle.aboutToAct()
        // Stopped between the read or write of pages and the commit of the answer.
        daemon.process?.signal(SIGSTOP)
        cycle.pause(upTo: 20)
        if Bool.random(using: &cycle.random) { cycle.kill(cycle.clients.filter { $0.index % 2 == 1 }) }
        cycle.expect.exit = .killed
        daemon.begin(.kill)
    }
}

struct AbortRegisteredPool: Scenario {
    let number = 46
    let name = "abort-registered-pool"
    let summary = "abort under load, the pools registered and clients' pages in the tables of buffers"
    let oracles: Set<Oracle> = [.reaped, .mountGone, .kernelLog, .leaks, .errors, .exit]
    let needs: Needs = .ring

    func run(_ cycle: Cycle) throws {
        let daemon = try cycle.mountWithPool(["registered_pool", "zero_copy"])
        try cycle.startLoad(perCPU: 4)
        cycle.pause()
        cycle.aboutToAct()
        cycle.expect.exit = .anyStatus
        daemon.begin(.abort)
    }
}

extension Cycle {
    /// Mounts with these options of our daemon.
    ///
    /// - Throws: ``ScenarioObstacle`` where there are no pools.
    @discardableResult
    fileprivate func mountWithPool(_ options: [String]) throws -> MountedDaemon {
        guard target.isOurs else { throw ScenarioObstacle("needs this project's daemon") }
        do {
            return try mount(options: ["-o", options.joined(separator: ",")])
        } catch {
            if case .exited(_, let log) = error, log.contains("Linux 7.3") {
                throw ScenarioObstacle("the kernel has no buffer pools for the ring")
            }
            throw error
        }
    }
}
