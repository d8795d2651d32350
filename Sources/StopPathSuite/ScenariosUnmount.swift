import BenchCore
import Glibc
import LinuxSystem
import SystemPackage

/// Somebody unmounts.
struct LateSecondUnmount: Scenario {
    let number = 24
    let name = "late-second-unmount"
    let summary = "unmount, and mount another filesystem there at once: the daemon's end must leave that one alone"
    let oracles: Set<Oracle> = [.mountGone, .exit]

    func run(_ cycle: Cycle) throws {
        let daemon = try cycle.mount()
        cycle.pause(upTo: 10)
        // The daemon learns only afterwards that it is unmounted; every other time, a signal comes at once with it.
        let signalled = cycle.choose([true, false])
        daemon.process?.signal(SIGSTOP)
        if let error = daemon.unmount(lazy: true, within: cycle.limit) {
            throw ScenarioObstacle("umount --lazy: \(error)")
        }
        // Its own successor is the hardest to tell: the kernel gives it the same ids of mount and connection.
        let successor = cycle.choose([true, false]) ? try cycle.start() : nil
        if let successor { cycle.others.append(successor) } else { try mountStranger(cycle) }
        if signalled { daemon.process?.signal(SIGTERM) }
        daemon.process?.signal(SIGCONT)
        _ = daemon.process?.wait(cycle.limit)
        Deadline.sleep(.milliseconds(20))
        if let successor {
            check(successor, cycle)
        } else if MountTable.current().last(where: { $0.mountPoint == cycle.mountPoint.string })?.type != "tmpfs" {
            cycle.fail(.mountGone, "the filesystem that was mounted afterwards is gone: the daemon unmounted it")
        }
        _ = daemon.unmount(within: cycle.limit)
    }

    private func mountStranger(_ cycle: Cycle) throws {
        let stranger = try cycle.bench.spawn([
            "mount", "-t", "tmpfs", "-o", "size=64k", "stranger", cycle.mountPoint.string,
        ])
        guard stranger.wait(cycle.limit)?.isSuccess == true else {
            throw ScenarioObstacle("tmpfs could not be mounted")
        }
    }

    private func check(_ successor: MountedDaemon, _ cycle: Cycle) {
        if !successor.isMounted {
            cycle.fail(.mountGone, "the daemon's successor at the mount point is gone: the daemon unmounted it")
        } else if cycle.target.isOurs, DaemonStatistics.ask(successor, bench: cycle.bench) == nil {
            cycle.fail(.mountGone, "the daemon's successor cannot be asked for its statistics any more")
        }
    }
}

struct LazyUnmountOpenFile: Scenario {
    let number = 25
    let name = "lazy-unmount-open-file"
    let summary = "hold a file open, umount -l, go on with it, close it later"
    let oracles: Set<Oracle> = [.exit, .mountGone]

    func run(_ cycle: Cycle) throws {
        let daemon = try cycle.mount()
        let status = cycle.scratch.appending("held")
        let holder = try cycle.bench.spawn(
            [cycle.bench.program]
                + BenchHelper.holdFile(path: daemon.root.appending("held-file").string, status: status.string).arguments
        )
        cycle.helpers.append(holder)
        guard Deadline(after: cycle.limit).wait(for: { LoadStatus.read(status)?.isWorking == true }) else {
            return cycle.fail(.reaped, "a file could not be opened")
        }
        if let error = daemon.unmount(lazy: true, within: cycle.limit) {
            return cycle.fail(.mountGone, "umount --lazy: \(error)")
        }
        cycle.pause(upTo: 50)
        // The file must still work, written to through a connection that has no mount point any more.
        holder.signal(SIGUSR1)
        if !Deadline(after: cycle.limit).wait(for: { LoadStatus.read(status)?.operations ?? 0 > 0 }) {
            cycle.fail(.reaped, "a write to the open file hangs after umount --lazy")
        }
        if let error = LoadStatus.read(status)?.firstError {
            cycle.fail(.errors, "a write to the open file got \(error.errno.name) after umount --lazy")
        }
        if daemon.process?.isRunning == false {
            cycle.fail(.exit, "the daemon ended while a file was still open")
        }
        holder.signal(SIGTERM)
        if holder.wait(cycle.limit) == nil { cycle.fail(.reaped, "closing the file hangs") }
    }
}

struct StopForceUnmount: Scenario {
    let number = 37
    let name = "sigstop-force-unmount"
    let summary = "SIGSTOP the daemon under load, umount -f, SIGCONT"
    let oracles: Set<Oracle> = [.reaped, .mountGone, .exit]

    func run(_ cycle: Cycle) throws {
        let daemon = try cycle.mount()
        try cycle.startLoad()
        cycle.pause(upTo: 60)
        cycle.aboutToAct()
        daemon.process?.signal(SIGSTOP)
        let error = daemon.unmount(force: true, within: cycle.limit)
        // EBUSY is right while clients have files open; the connection is aborted all the same.
        if let error, error != .resourceBusy { cycle.fail(.mountGone, "umount --force: \(error)") }
        // As in abort-uncommitted: requests on their way to a stopped ring wait for it to go on.
        if !cycle.mayUseRing { cycle.reap() } else { cycle.pause(upTo: 100) }
        daemon.process?.signal(SIGCONT)
        cycle.expect.exit = .anyStatus
    }
}

struct UnmountBusyThenIdle: Scenario {
    let number = 40
    let name = "unmount-busy-then-idle"
    let summary = "umount is refused with EBUSY and the load goes on untouched; without load it is accepted"
    let oracles: Set<Oracle> = [.mountGone, .exit, .errors, .transport, .leaks]

    func run(_ cycle: Cycle) throws {
        cycle.expect.connectionEnds = false
        let daemon = try cycle.mount()
        cycle.rememberResources()
        try cycle.startLoad()
        cycle.pause(upTo: 40)
        for _ in 1...3 {
            let error = daemon.unmount(within: cycle.limit)
            if error != .resourceBusy {
                return cycle.fail(.mountGone, "umount under load: \(error.map { $0.name } ?? "succeeded"), not EBUSY")
            }
        }
        cycle.expectProgress()
        cycle.stopLoad()
        cycle.checkTransport()
        cycle.checkResources {
            try cycle.startLoad()
            cycle.pause(upTo: 40)
        }
    }
}

struct NamespaceExit: Scenario {
    let number = 42
    let name = "namespace-exit"
    let summary = "the mount lives only in its clients' mount namespaces, which end under load"
    let oracles: Set<Oracle> = [.exit, .mountGone]

    func run(_ cycle: Cycle) throws {
        let daemon = try cycle.mount()
        try cycle.startLoad(prefix: [cycle.bench.program] + BenchHelper.ownNamespace([]).arguments)
        if let error = daemon.unmount(lazy: true, within: cycle.limit) {
            return cycle.fail(.mountGone, "umount --lazy: \(error)")
        }
        cycle.pause(upTo: 60)
        cycle.expectProgress()
        cycle.aboutToAct()
        cycle.kill(cycle.clients)
    }
}
