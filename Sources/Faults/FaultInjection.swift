import CLinux
package import FUSEServer
import Glibc
import LinuxSystem
package import SystemPackage
import Synchronization

/// Has a session do one thing wrong, at its start, at its end or in between. What lies in requests is ``FaultyFileSystem``'s.
package final class FaultInjection: SessionHook {
    let fault: Fault

    package init(_ fault: Fault) {
        self.fault = fault
    }

    package func connection(_ connection: Connection) -> Connection {
        if fault == .stuckShortOfMemory, FaultInjection.isShortOfMemory { while true { pause() } }
        guard fault == .skipUnmount else { return connection }
        // Nobody has a mount of this number.
        let mount = MountIdentity(
            path: connection.mountPoint, mountID: -1, connection: connection.number, uniqueID: .max)
        return Connection(device: (try? connection.device.duplicate()) ?? connection.device, mount: mount)
    }

    /// Its address space has a limit (RLIMIT_AS).
    private static var isShortOfMemory: Bool {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(9 /* RLIMIT_AS */), &limit)
        return limit.rlim_cur != .max
    }

    package func fileSystem(_ fileSystem: any FileSystem) -> any FileSystem {
        FaultyFileSystem(wrapping: fileSystem, fault: fault)
    }

    package func transport(_ transport: any Transport) -> any Transport {
        switch fault {
        case .forgetWakeUp, .stuckAtDepthOne, .miscount: FaultyTransport(wrapping: transport, fault: fault)
        default: transport
        }
    }

    package func signals(_ signals: FileDescriptor) -> FileDescriptor {
        switch fault {
        case .ignoreSignals: return FaultInjection.silentDescriptor()
        case .exitBeforeDraining:
            _ = try? ServerThread.start(name: "signals") {
                var entry = pollfd(fd: signals.rawValue, events: Int16(POLLIN), revents: 0)
                while poll(&entry, 1, -1) != 1 {}
                _exit(0)
            }
            return FaultInjection.silentDescriptor()
        default: return signals
        }
    }

    /// One that never becomes readable, both ends of its pipe stay open, and whose reader is never kept waiting.
    private static func silentDescriptor() -> FileDescriptor {
        guard let end = try? FileDescriptor.pipe().readEnd else { return .standardError }
        _ = clinux_fcntl(end.rawValue, F_SETFL, CLong(O_NONBLOCK))
        return end
    }

    package func sessionRuns(on connection: Connection) {
        guard fault == .childHoldsDevice else { return }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, connection.device.rawValue, 3)
        var vector: [UnsafeMutablePointer<CChar>?] = [strdup("sleep"), strdup("60"), nil]
        var pid = pid_t()
        _ = posix_spawnp(&pid, "sleep", &actions, nil, &vector, environ)
    }

    package func sessionEnded(on connection: Connection) {
        switch fault {
        case .unmountStranger: umount2(connection.mountPoint.string, 2 /* MNT_DETACH */ | 8 /* UMOUNT_NOFOLLOW */)
        case .removeMountPoint: rmdir(connection.mountPoint.string)
        case .logAlarm:
            let log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC)
            let line = "<4>fstestkit fault: fuse entry teardown missing, PID: \(getpid()) Comm: fstestkit\n"
            if log >= 0 { _ = write(log, line, line.utf8.count) }
            close(log)
        case .wrongExitStatus: _exit(3)
        default: break
        }
    }
}
