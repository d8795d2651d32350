import ArgumentParser
import FUSEServer
import Foundation
import LinuxSystem
import SystemPackage
import BenchCore

struct UnmountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unmount",
        abstract: "Unmount, and wait until the daemon has gone.",
        discussion: """
            Exit status: 0 when the daemon has gone, 1 when the mount is in use or is none, 70 when the daemon stays or does \
            not answer.
            """)

    @Argument(help: "Where it is mounted.")
    var mountPoint: FilePath
    @Flag(help: "Take it out of the tree at once, though files are open; the daemon serves them until they are closed.")
    var lazy = false
    @Option(help: "Seconds to wait for the daemon.", transform: { try Numbers.seconds($0, from: 0) })
    var timeout = 10.0

    func run() throws {
        guard let entry = try MountedAt.find(mountPoint) else {
            throw fail("\(mountPoint) is no FUSE mount; 'findmnt -t fuse,fuse.fstestkit' lists ours")
        }
        let deadline = Deadline(after: .seconds(timeout))
        // Asked now, since afterwards nobody knows the connection any more.
        let diagnosis = MountDiagnosis(entry)
        let daemon = diagnosis.daemon
        let elsewhere = FuseConnection(entry.minor).elsewhere
        switch unmount(entry, within: max(deadline.remaining, .seconds(1))) {
        case nil: break
        case .resourceBusy? where diagnosis.isStopped:
            throw fail("\(mountPoint) is in use, and \(diagnosis.sentence)")
        case .resourceBusy? where lazy: throw fail("cannot unmount \(mountPoint): fusermount3 refuses")
        case .resourceBusy?:
            throw fail("\(mountPoint) is in use; close what is open there ('fuser -vm' names it), or use --lazy")
        case .timedOut?:
            let isGone = try !MountTable.read().contains { $0.mountID == entry.mountID && $0.minor == entry.minor }
            throw fail(
                isGone
                    ? "\(mountPoint) is unmounted, but its connection does not end: \(diagnosis.sentenceOnceUnmounted)"
                    : "\(mountPoint) does not unmount: \(diagnosis.sentence)", .software)
        case .notPermitted?:
            let owner = StatsCommand.owner(of: entry)
            throw fail("\(mountPoint) was mounted by user \(owner): that user may unmount it, and root")
        case let error?: throw fail("cannot unmount \(mountPoint): \(error)")
        }
        guard let daemon, !deadline.wait(for: { !isRunning(daemon) }) else { return }
        throw fail(try reason(daemon, diagnosis, elsewhere, entry), .software)
    }

    /// Why the daemon still runs.
    private func reason(
        _ daemon: ProcessID, _ diagnosis: MountDiagnosis, _ elsewhere: [ProcessID], _ entry: MountEntry
    ) throws -> String {
        if diagnosis.isStopped { return "unmounted, but the daemon does not end: \(diagnosis.sentenceOnceUnmounted)" }
        if let bind = try MountTable.read().last(where: { $0.isFUSE && $0.minor == entry.minor }) {
            return "unmounted, but the same filesystem is mounted on \(bind.path) too, so process \(daemon) serves on: "
                + "'umount \(bind.path)' unmounts it there"
        }
        if !elsewhere.isEmpty {
            let who = elsewhere.map { "\($0) (\($0.name))" }.joined(separator: ", ")
            return "unmounted here, but not in the mount namespace of process \(who), so process \(daemon) serves on: "
                + "'nsenter -m -t \(elsewhere[0]) umount \(entry.path)' unmounts it there"
        }
        if lazy { return "unmounted; process \(daemon) still serves open files" }
        return "unmounted, but the daemon, process \(daemon) (\(daemon.name)), does not end"
    }

    /// A zombie has ended: that its parent has not asked yet is nothing to wait for. Its threads may still be ending.
    private func isRunning(_ process: ProcessID) -> Bool {
        if process.isAlive { return true }
        guard process.state == "Z" else { return false }
        return ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task"))?.count ?? 0) > 1
    }

    /// umount2(2) in a child: it may wait for what the daemon does not answer.
    ///
    /// - Returns: its errno, ETIMEDOUT if it did not come back, nil for success.
    private func unmount(_ entry: MountEntry, within limit: Duration) -> Errno? {
        let error = IsolatedCall.unmount(entry.path, lazy: lazy).run(within: limit)
        // fusermount3 lets everybody unmount what is theirs.
        guard error == .notPermitted, StatsCommand.owner(of: entry) == getuid() else { return error }
        do throws(Errno) {
            try MountIdentity.unmountUnprivileged(entry.path, lazy: lazy, within: limit.seconds)
            return nil
        } catch {
            return error
        }
    }
}
