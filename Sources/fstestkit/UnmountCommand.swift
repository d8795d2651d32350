import ArgumentParser
import CLinux
import FUSEServer
import Foundation
import LinuxSystem
import SystemPackage

struct UnmountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unmount",
        abstract: "Unmount, and wait until the daemon has gone.",
        discussion:
            "Exit status: 0 when the daemon has gone, 1 when the mount is in use or is none, 70 when the daemon stays.")

    @Argument(help: "Where it is mounted.")
    var mountPoint: String
    @Flag(help: "Take it out of the tree at once, though files are open; the daemon serves them until they are closed.")
    var lazy = false
    @Option(help: "Seconds to wait for the daemon.")
    var timeout = 10.0

    func run() throws {
        guard let entry = try MountedAt.find(mountPoint) else {
            throw fail("\(mountPoint) is no FUSE mount; 'findmnt -t fuse' lists them")
        }
        // Asked now, since afterwards nobody knows the connection any more.
        let daemon = StatsCommand.ask(entry)?.processID
        do throws(Errno) {
            try unmount(entry.mountPoint)
        } catch .resourceBusy {
            throw fail("\(mountPoint) is in use; close what is open there ('fuser -vm' names it), or use --lazy")
        } catch {
            throw fail("cannot unmount \(mountPoint): \(error)")
        }
        guard let daemon else { return }
        let deadline = Deadline(secondsFromNow: timeout)
        while isRunning(daemon) {
            if deadline.hasPassed {
                throw fail(
                    lazy
                        ? "unmounted; process \(daemon) still serves open files"
                        : "unmounted, but the daemon, process \(daemon), does not end", .software)
            }
            usleep(2_000)
        }
    }

    /// A zombie has ended: that its parent has not asked yet is nothing to wait for. Its threads may still be ending.
    private func isRunning(_ process: Int32) -> Bool {
        guard let status = try? readWhole(FilePath("/proc/\(process)/stat")), let name = status.lastIndex(of: ")")
        else {
            return false
        }
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task").count) ?? 0
        return !status[name...].hasPrefix(") Z") || threads > 1
    }

    private func unmount(_ path: String) throws(Errno) {
        do throws(Errno) {
            _ = try Errno.check { umount2(path, 8 /* UMOUNT_NOFOLLOW */ | (lazy ? 2 /* MNT_DETACH */ : 0)) }
        } catch .notPermitted {
            try Connection.unmountUnprivileged(path, lazy: lazy)
        }
    }
}

/// Finds FUSE mounts by path without touching them.
enum MountedAt {
    /// The FUSE mount at `path`, resolved as far as its parent: the mount itself may hang.
    static func find(_ path: String) throws -> MountEntry? {
        let absolute = URL(fileURLWithPath: path).standardizedFileURL.path
        let parent = (absolute as NSString).deletingLastPathComponent
        let name = (absolute as NSString).lastPathComponent
        var candidates = [absolute]
        if let resolved = realpath(parent, nil) {
            candidates.append((String(cString: resolved) as NSString).appendingPathComponent(name))
            free(resolved)
        }
        let mounts = try MountTable.read().filter(\.isFUSE)
        return mounts.last { candidates.contains($0.mountPoint) }
    }
}
