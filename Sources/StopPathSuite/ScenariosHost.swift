import BenchCore
import Glibc
import LinuxSystem
import SystemPackage

/// Settings of the whole machine change: only with `--allow-host-changes`.
struct TimeoutAndCancel: Scenario {
    let number = 6
    let name = "timeout-and-cancel"
    let summary = "a request timeout is on and the daemon stopped: the kernel ends the connection by itself"
    let oracles: Set<Oracle> = [.reaped, .kernelLog, .exit, .mountGone]
    let needs: Needs = [.hostChanges]

    func run(_ cycle: Cycle) throws {
        try HostSetting.with("/proc/sys/fs/fuse/default_request_timeout", "16") {
            let daemon = try cycle.mount()
            try cycle.startLoad()
            cycle.pause()
            cycle.aboutToAct()
            daemon.process?.signal(SIGSTOP)
            // The kernel looks every 15 s: late by that much at the most.
            let deadline = Deadline(after: .seconds(40))
            for client in cycle.clients where client.process.wait(until: deadline) == nil {
                // As in abort-uncommitted: requests on their way to a stopped ring wait for it to go on, and end then.
                if !cycle.mayUseRing {
                    cycle.fail(.reaped, "\(client.description) still waits 40 s after a request timeout of 16 s")
                }
                break
            }
            daemon.process?.signal(SIGCONT)
            cycle.expect.exit = .anyStatus
        }
    }
}

struct Reclaim: Scenario {
    let number = 30
    let name = "reclaim"
    let summary = "clients under a memory limit, with readahead and writeback; then SIGTERM"
    let oracles: Set<Oracle> = [.reaped, .exit, .mountGone, .kernelLog]
    let needs: Needs = [.hostChanges]

    func run(_ cycle: Cycle) throws {
        guard let group = MemoryGroup(limit: 24 << 20) else {
            throw ScenarioObstacle("no memory cgroup can be made")
        }
        defer { group.remove() }
        let daemon = try cycle.mount()
        try cycle.startLoad(.mmap, perCPU: 2)
        try cycle.startLoad(.read, perCPU: 2)
        for client in cycle.clients { group.add(client.process.id) }
        cycle.pause()
        cycle.expectProgress()
        cycle.aboutToAct()
        daemon.begin(.terminate)
        cycle.reap()
    }
}

struct CPUOffline: Scenario {
    let number = 36
    let name = "cpu-offline"
    let summary = "take a CPU offline and back under load: its queue's requests are served all the same"
    let oracles: Set<Oracle> = [.reaped, .errors, .transport]
    let needs: Needs = [.hostChanges]

    func run(_ cycle: Cycle) throws {
        // One of the first two, which clients work on however many there are; the first of all cannot go.
        let cpu = cycle.cpus.first { $0 > 0 } ?? 0
        let file = "/sys/devices/system/cpu/cpu\(cpu)/online"
        guard cpu > 0, access(file, W_OK) == 0 else { throw ScenarioObstacle("no CPU can be taken offline here") }
        cycle.expect.connectionEnds = false
        try cycle.mount()
        try cycle.startLoad()
        try HostSetting.with(file, "0") {
            // perf counters that were bound to it never count again, not even once it is back.
            cycle.stopCounting(because: "the kernel's counters of a CPU that went offline do not come back with it")
            cycle.pause()
            cycle.expectProgress()
        }
        cycle.expectProgress()
        cycle.stopLoad()
        cycle.checkTransport()
    }
}

/// A file of procfs or sysfs that is set for a while and then set back.
enum HostSetting {
    static func with(_ path: String, _ value: String, _ body: () throws -> Void) throws {
        guard let before = contents(of: path) else { throw ScenarioObstacle("this kernel has no \(path)") }
        if let error = IsolatedCall.write(path, text: value).run() { throw ScenarioObstacle("\(path): \(error.name)") }
        defer { IsolatedCall.write(path, text: before).run() }
        try body()
    }
}

/// A memory cgroup, of either version.
struct MemoryGroup {
    private let folder: String

    init?(limit: Int) {
        let name = "fstestkit-\(getpid())"
        for (root, file) in [("/sys/fs/cgroup", "memory.max"), ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")]
        where mkdir("\(root)/\(name)", 0o755) == 0 {
            if IsolatedCall.write("\(root)/\(name)/\(file)", text: "\(limit)").run() == nil {
                folder = "\(root)/\(name)"
                return
            }
            rmdir("\(root)/\(name)")
        }
        return nil
    }

    func add(_ process: ProcessID) {
        IsolatedCall.write("\(folder)/cgroup.procs", text: "\(process.pid)").run()
    }

    func remove() { rmdir(folder) }
}
