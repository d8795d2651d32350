package import FUSEProtocol
package import FUSEServer
import Glibc
import LinuxSystem
import Synchronization
import SystemPackage

/// What goes wrong with any request, whatever it asks for, and what it costs.
extension FaultyFileSystem {
    package func dispatch(_ request: borrowing Request, reply: inout ReplyBuffer) -> Outcome {
        if fault == .forgetsTooMuch, isForgotten(request) { return .failure(.noSuchFileOrDirectory) }
        return alter(decode(request, reply: &reply), of: request, reply)
    }

    /// What becomes of a request that the filesystem has handled.
    private func alter(_ outcome: Outcome, of request: borrowing Request, _ reply: borrowing ReplyBuffer) -> Outcome {
        let number = requests.add(1, ordering: .relaxed).newValue
        if case .noReply = outcome { return outcome }
        switch (fault, outcome, request.opcode) {
        // One that its caller waits for: nobody does for a RELEASE.
        case (.neverCommit, _, .write) where number >= 40 && !hasHappened.exchange(true, ordering: .relaxed):
            return never()
        case (.releaseUnanswered, _, .release) where number % 20 == 0:
            return never()
        case (.holdReplies, .reply, _) where number > 20, (.holdReplies, .failure, _) where number > 20:
            return later(outcome, reply, seconds: 5)
        case (.offThreadReplies, .reply, _), (.offThreadReplies, .failure, _):
            return later(outcome, reply, seconds: 0)
        case (.crashInDispatch, _, _) where number > 300:
            abort()
        case (.spuriousError, _, .getattr) where number % 50 == 0:
            return .failure(.noSpace)
        case (.wrongData, .read(let file, let offset, let count), _):
            return .read(file, offset: offset + 4096, count: count)
        case (.lostSync, .fsync, _):
            return .reply
        case (.leakDescriptor, _, .open), (.leakDescriptor, _, .create):
            _ = dup(0)
        case (.leakThread, _, _) where number % 50 == 0:
            _ = try? ServerThread.start(name: "leaked") { while true { sleep(1000) } }
        case (.leakLittle, _, _):
            memset(malloc(100), 1, 100)
        case (.stall, _, _) where number % 1000 == 0:
            sleep(3)
        case (.crawl, _, _):
            let end = ContinuousClock.now + .milliseconds(10)
            while ContinuousClock.now < end {}
        case (.dawdle, _, _):
            let end = MonotonicClock.now() + 1000
            while MonotonicClock.now() < end {}
        case (.leakBuffer, _, _):
            memset(malloc(256 << 10), 1, 256 << 10)
        case (.spin, _, _) where !hasHappened.exchange(true, ordering: .relaxed):
            _ = try? ServerThread.start(name: "spinning") { while true { _ = MonotonicClock.now() } }
        default: break
        }
        return outcome
    }

    /// Whether it is about a node that is taken for forgotten, and about nothing else that it could go by.
    private func isForgotten(_ request: borrowing Request) -> Bool {
        switch request.opcode {
        case .getattr, .open, .opendir, .setattr, .getxattr: forgotten.withLock { $0.contains(request.node) }
        default: false
        }
    }

    /// The same reply from another thread.
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

    /// No reply: what would give it is kept for ever.
    private func never() -> Outcome {
        .deferred(
            DeferredWork { token in
                _ = Unmanaged.passRetained(UnansweredRequest(token))
            } orElse: {
                .noMemory
            })
    }
}

private final class UnansweredRequest {
    private let reply: DeferredReply

    init(_ reply: consuming DeferredReply) {
        self.reply = reply
    }
}
