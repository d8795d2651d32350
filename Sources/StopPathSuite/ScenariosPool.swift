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
        if cycle.choose([true, false]) { cycle.kill(cycle.clients.filter { $0.index % 2 == 1 }) }
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

struct LocksBehindPool: Scenario {
    let number = 49
    let name = "locks-behind-pool"
    let summary = "requests wait for a buffer, then for a lock: who is behind them is served by the entry that is free"
    let oracles: Set<Oracle> = [.reaped, .exit, .mountGone]
    let needs: Needs = .ring
    let depth: Int? = 3

    func run(_ cycle: Cycle) throws {
        cycle.expect.connectionEnds = false
        let daemon = try cycle.mountWithPool(["pool=2M", "no_zero_copy"])
        let holder = try cycle.asker(.lock, "locked", daemon)
        try cycle.ask(holder, until: \.isStopped)
        // The first three take the entries, and two of them the buffers. The first that is answered leaves its entry free, since the
        // next one needs a buffer. The locks are fetched by the commits of the others: for the last no commit is to come.
        let questions: [BenchHelper.Question] = [.tryLock, .read, .read, .read, .lock, .lock, .read]
        let askers = try questions.enumerated().map { number, question in
            try cycle.asker(question, question == .lock ? "locked" : "asked-\(number)", daemon)
        }
        daemon.process?.signal(SIGSTOP)
        defer { daemon.process?.signal(SIGCONT) }
        for asker in askers { try cycle.ask(asker, until: \.waitsForAnswer) }
        daemon.process?.signal(SIGCONT)
        for (number, asker) in askers.enumerated() where questions[number] != .lock {
            guard cycle.wait(for: asker, until: \.isStopped) else {
                cycle.hung = true
                cycle.fail(.reaped, "request \(number + 1) of \(askers.count) has no answer while two wait for a lock")
                break
            }
        }
        for process in [holder] + askers { process.signal(SIGKILL) }
        for process in [holder] + askers where process.wait(cycle.limit) == nil {
            cycle.hung = true
            cycle.fail(.reaped, "a client that waits for a lock (pid \(process.id)) hangs after SIGKILL")
        }
    }
}

extension Cycle {
    /// Starts a client that has a file open, and waits for a sign to ask for something.
    fileprivate func asker(
        _ question: BenchHelper.Question, _ name: String, _ daemon: MountedDaemon
    ) throws -> ChildProcess {
        let helper = BenchHelper.ask(question, path: daemon.root.appending(name).string)
        let process = try bench.spawn([bench.program] + helper.arguments)
        helpers.append(process)
        guard wait(for: process, until: \.isStopped) else { throw ScenarioObstacle("a client does not open its file") }
        return process
    }

    /// - Throws: ``ScenarioObstacle`` if it does not come so far.
    fileprivate func ask(_ process: ChildProcess, until condition: (ProcessSnapshot) -> Bool) throws {
        process.signal(SIGCONT)
        guard wait(for: process, until: condition) else { throw ScenarioObstacle("a client does not ask its question") }
    }

    fileprivate func wait(for process: ChildProcess, until condition: (ProcessSnapshot) -> Bool) -> Bool {
        Deadline(after: limit).wait { condition(ProcessSnapshot(process.id)) }
    }

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

extension ProcessSnapshot {
    fileprivate var isStopped: Bool { threads.contains { $0.state == "T" } }
    fileprivate var waitsForAnswer: Bool { threads.contains { $0.stack.contains("request_wait_answer") } }
}
