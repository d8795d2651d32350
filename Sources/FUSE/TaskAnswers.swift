import LinuxSystem

/// The answers that tasks are to give (``Reply/async(_:)``), so that they can be given up: on an INTERRUPT, and when the session stops.
final class TaskAnswers: Sendable {
    private struct State {
        /// By request id.
        var pending: [UInt64: PendingAnswer] = [:]
        var isStopping = false
    }

    private let state = Lock(State())

    /// Starts a task that answers, unless the session stops: then it is too late, and the answer is EINTR.
    func start(_ reply: consuming DeferredReply, _ body: @escaping @Sendable () async throws -> [UInt8]) {
        let unique = reply.unique
        let answer = PendingAnswer(reply)
        let isTooLate = state.withLock { state in
            if !state.isStopping { state.pending[unique] = answer }
            return state.isStopping
        }
        if isTooLate { return answer.giveUp() }
        answer.run { [self] in
            do {
                answer.give(try await body())
            } catch {
                answer.fail(error as? Errno ?? (error is CancellationError ? .interrupted : .ioError))
            }
            state.withLock { _ = $0.pending.removeValue(forKey: unique) }
        }
    }

    /// The caller got a signal: the task is cancelled, and answers when it ends.
    func interrupt(_ unique: UInt64) {
        state.withLock { $0.pending[unique] }?.cancel()
    }

    /// Cancels all tasks and answers for them, now and from now on.
    func stop() {
        let pending = state.withLock { state in
            state.isStopping = true
            defer { state.pending = [:] }
            return Array(state.pending.values)
        }
        for answer in pending { answer.giveUp() }
    }
}

/// A request's one answer, for whoever gives it first.
private final class PendingAnswer: Sendable {
    private struct Work {
        var task: Task<Void, Never>?
        var isCancelled = false
    }

    private let reply: Lock<DeferredReply?>
    private let work = Lock(Work())

    init(_ reply: consuming DeferredReply) {
        self.reply = Lock(reply)
    }

    func run(_ body: @escaping @Sendable () async -> Void) {
        let task = Task { await body() }
        let isLate = work.withLock { work in
            work.task = task
            return work.isCancelled
        }
        if isLate { task.cancel() }
    }

    func cancel() {
        let task = work.withLock { work in
            work.isCancelled = true
            return work.task
        }
        task?.cancel()
    }

    func giveUp() {
        cancel()
        fail(.interrupted)
    }

    func give(_ body: [UInt8]) {
        if let reply = taken() { reply.succeed(body) }
    }

    func fail(_ error: Errno) {
        if let reply = taken() { reply.fail(error) }
    }

    private func taken() -> DeferredReply? { reply.withLock { $0.take() } }
}
