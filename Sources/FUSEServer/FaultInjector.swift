import CFUSE
import FUSEProtocol
import Glibc
import LinuxSystem
import Synchronization
import SystemPackage

/// Carries out those of the faults that lie in requests and resources, between the filesystem and the transport.
final class FaultInjector: Sendable {
    private let fault: Fault
    private let requests = Atomic<Int>(0)

    init(_ fault: Fault) {
        self.fault = fault
    }

    /// What becomes of a request that the filesystem has handled.
    func alter(_ outcome: Outcome, of request: borrowing Request, _ reply: borrowing ReplyBuffer) -> Outcome {
        let number = requests.add(1, ordering: .relaxed).newValue
        switch (fault, outcome, request.opcode) {
        case (.holdReplies, .reply, _) where number > 20, (.holdReplies, .failure, _) where number > 20:
            return later(outcome, reply, seconds: 5)
        case (.offThreadReplies, .reply, _), (.offThreadReplies, .failure, _):
            return later(outcome, reply, seconds: 0)
        case (.crashInDispatch, _, _) where number > 300:
            abort()
        case (.wrongError, _, .getattr) where number % 50 == 0:
            return .failure(.noSpace)
        case (.wrongData, .read(let file, let offset, let count), _):
            return .read(file, offset: offset + 4096, count: count)
        case (.loseWrite, .write, _) where number % 20 == 0:
            return lostWrite(request, reply)
        case (.loseFsync, .fsync, _):
            return .reply
        case (.leakDescriptor, _, .open), (.leakDescriptor, _, .create):
            _ = dup(0)
        case (.leakThread, _, _) where number % 50 == 0:
            _ = try? ServerThread.start(name: "leaked") { while true { sleep(1000) } }
        case (.leakBuffer, _, _):
            memset(malloc(256 << 10), 1, 256 << 10)
        case (.spin, _, _) where number == 1:
            _ = try? ServerThread.start(name: "spinning") { while true { _ = Clock.now() } }
        default: break
        }
        return outcome
    }

    /// The same reply from another thread. Requests without a reply stay as they are.
    private func later(_ outcome: Outcome, _ reply: borrowing ReplyBuffer, seconds: UInt32) -> Outcome {
        let body = reply.bytes
        let failure: Errno? = if case .failure(let error) = outcome { error } else { nil }
        return .deferred(
            DeferredWork { token in
                if seconds > 0 { sleep(seconds) }
                if let failure { token.fail(failure) } else { token.succeed(body) }
            } orElse: {
                failure ?? .noMemory
            })
    }

    private func lostWrite(_ request: borrowing Request, _ reply: borrowing ReplyBuffer) -> Outcome {
        let count = UInt32(request.payload.byteCount)
        return .deferred(
            DeferredWork { token in
                token.succeed(withUnsafeBytes(of: fuse_write_out(size: count, padding: 0)) { Array($0) })
            } orElse: {
                .noMemory
            })
    }
}

extension Session {
    /// Carries out the faults that lie at the session's end, after everything else was done.
    func misbehaveAtTheEnd() {
        switch configuration.fault {
        case .unmountStranger: umount2(connection.mountPoint.string, 2 /* MNT_DETACH */ | 8 /* UMOUNT_NOFOLLOW */)
        case .removeMountPoint: rmdir(connection.mountPoint.string)
        case .logAlarm:
            let log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC)
            let line = "<4>fstestkit fault: fuse entry teardown missing\n"
            if log >= 0 { _ = write(log, line, line.utf8.count) }
            close(log)
        case .wrongExitStatus: _exit(3)
        default: break
        }
    }

    /// Carries out the faults that lie at the session's start.
    func misbehaveAtTheStart() {
        guard configuration.fault == .childHoldsDevice else { return }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, connection.device.rawValue, 3)
        var vector: [UnsafeMutablePointer<CChar>?] = [strdup("sleep"), strdup("60"), nil]
        var pid = pid_t()
        _ = posix_spawnp(&pid, "sleep", &actions, nil, &vector, environ)
    }
}
