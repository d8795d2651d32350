import BenchCore
import Glibc
import LinuxSystem
import SystemPackage

/// The kernel is told all the time that what it knows of the mount is no longer so.
struct NotificationStormUnderLoad: Scenario {
    let number = 50
    let name = "notification-storm"
    let summary = "names, attributes and pages are invalidated all the time: the load goes on; then umount or abort"
    let oracles: Set<Oracle> = [.reaped, .kernelLog, .errors, .stored, .exit, .mountGone]

    func run(_ cycle: Cycle) throws {
        let daemon = try cycle.mount()
        guard let process = daemon.process else { throw ScenarioObstacle("the daemon's process is not known") }
        try cycle.startLoad()
        // In the daemon's stead, so that it works on every daemon, and its own threads never wait for the kernel's locks.
        let status = cycle.scratch.appending("notified")
        let helper = BenchHelper.notify(
            pid: process.id.pid, root: daemon.root.string, status: status.string, clients: cycle.clients.map(\.id))
        let storm = try cycle.bench.spawn([cycle.bench.program] + helper.arguments)
        cycle.helpers.append(storm)
        let isAtWork = Deadline(after: cycle.limit).wait {
            LoadStatus.read(status)?.isWorking == true || !storm.isRunning
        }
        guard isAtWork, storm.isRunning else {
            throw ScenarioObstacle("nobody can send notifications through the daemon's /dev/fuse")
        }
        // Names must be forgotten and looked up many times before two of these meet.
        Deadline.sleep(.milliseconds(cycle.settings.longestPause * 2))
        cycle.expectProgress()
        if let (_, error) = LoadStatus.read(status)?.firstError {
            cycle.fail(.errors, "the kernel refused a notification with \(error.name)")
        }
        cycle.aboutToAct()
        // No signal: where a daemon just exits, a notification that waits for a lock of a client that waits for the daemon would keep
        // the last copy of /dev/fuse, and so all of them.
        let method = cycle.choose([StopMethod.unmount, .abort])
        // Without load there is an unmount, and names and pages are given up while they are invalidated.
        if method == .unmount { cycle.stopLoad() } else { cycle.expect.exit = .anyStatus }
        cycle.act(method, on: daemon)
        cycle.expectDeath(of: storm)
        if storm.isRunning, !storm.kill() {
            cycle.hung = true
            cycle.fail(.reaped, "who sends notifications (pid \(storm.id)) hangs after SIGKILL")
        }
    }
}
