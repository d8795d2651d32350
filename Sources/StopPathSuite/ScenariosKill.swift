import BenchCore
import Glibc
import LinuxSystem
import SystemPackage

/// The daemon dies in the middle of its work.
struct KillUnderIO: Scenario {
    let number = 1
    let name = "kill9-under-io"
    let summary = "mixed load on all queues, SIGKILL the daemon; then a power cut of the source, where that can be had"
    let oracles: Set<Oracle> = [.reaped, .mountGone, .kernelLog, .newMount, .stored, .leaks, .errors]

    func run(_ cycle: Cycle) throws {
        cycle.usePowerCutImage()
        try cycle.endUnderLoad(by: .kill, exit: .killed)
    }
}

struct KillInDispatch: Scenario {
    let number = 2
    let name = "kill9-in-dispatch"
    let summary = "depth 1 and many clients, SIGKILL the daemon, three times over"
    let oracles: Set<Oracle> = [.reaped, .mountGone, .kernelLog]
    let depth: Int? = 1

    func run(_ cycle: Cycle) throws {
        cycle.expect.exit = .killed
        for round in 1...(cycle.settings.isQuick ? 1 : 3) {
            if round > 1 {
                cycle.reap()
                if let error = cycle.daemon?.unmount(within: cycle.limit) {
                    return cycle.fail(.mountGone, "the dead mount does not unmount: \(error)")
                }
            }
            try cycle.mount()
            try cycle.startLoad(.metadata, perCPU: 4)
            cycle.pause(upTo: 20)
            cycle.aboutToAct()
            cycle.daemon?.begin(.kill)
        }
    }
}

struct CancelVersusComplete: Scenario {
    let number = 34
    let name = "cancel-vs-complete"
    let summary = "SIGKILL the daemon while completions of large reads arrive"
    let oracles: Set<Oracle> = [.exit, .kernelLog, .reaped]

    func run(_ cycle: Cycle) throws {
        try cycle.endUnderLoad(by: .kill, .read, perCPU: 3, pause: 60, exit: .killed)
    }
}

struct ForkHoldsDevice: Scenario {
    let number = 41
    let name = "fork-holds-device"
    let summary = "another process holds the daemon's /dev/fuse; the daemon dies; the connection ends with the holder"
    let oracles: Set<Oracle> = [.mountGone, .reaped]

    func run(_ cycle: Cycle) throws {
        let daemon = try cycle.mount()
        guard let process = daemon.process, let connection = daemon.connection else { return }
        let holder = try cycle.bench.spawn(
            [cycle.bench.program] + BenchHelper.holdDevice(pid: process.id.pid).arguments)
        cycle.helpers.append(holder)
        guard Deadline(after: cycle.limit).wait(for: { connection.holders.contains(holder.id) || !holder.isRunning }),
            holder.isRunning
        else { throw ScenarioObstacle("the daemon's /dev/fuse could not be held") }
        try cycle.startLoad()
        cycle.pause(upTo: 60)
        cycle.aboutToAct()
        cycle.expect.exit = .killed
        daemon.begin(.kill)
        guard process.wait(cycle.limit) != nil else { return }
        // The bench must be able to say who keeps the connection.
        if connection.exists && !connection.holders.contains(holder.id) {
            cycle.fail(.mountGone, "the holder \(holder.id) is not found among \(connection.holders)")
        }
        holder.signal(SIGTERM)
        _ = holder.wait(cycle.limit)
    }
}

struct AutoUnmountKill: Scenario {
    let number = 27
    let name = "auto-unmount-kill"
    let summary = "SIGKILL a daemon that was mounted with auto_unmount: the mount must go by itself"
    let oracles: Set<Oracle> = [.mountGone]

    func run(_ cycle: Cycle) throws {
        if case .mountHelper = cycle.target.kind { throw ScenarioObstacle("mount(8) keeps auto_unmount to itself") }
        let daemon = try cycle.mount(options: ["-o", "auto_unmount"])
        cycle.pause(upTo: 20)
        cycle.expect.exit = .killed
        daemon.begin(.kill)
        if !Deadline(after: cycle.limit).wait(for: { !daemon.isMounted }) {
            cycle.fail(.mountGone, "the mount is still there \(cycle.limit.seconds) s after the daemon's death")
        }
    }
}
