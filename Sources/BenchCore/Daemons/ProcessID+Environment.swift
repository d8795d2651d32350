import Dispatch
import Glibc
import LinuxSystem

extension ProcessID {
    /// Whether the process was started with this variable in its environment, `NAME=VALUE`.
    ///
    /// `/proc/PID/environ` waits for a lock of the process's memory, which one that hangs in a mount may hold: it is read on a
    /// thread of its own, and what does not come within a second counts as no.
    package func wasStarted(with variable: String) -> Bool {
        let question = Question(pid: pid, variable: variable)
        var thread = pthread_t()
        let context = Unmanaged.passRetained(question)
        guard pthread_create(&thread, nil, answerQuestion, context.toOpaque()) == 0 else {
            context.release()
            return false
        }
        pthread_detach(thread)
        return question.isAnswered.wait(timeout: .now() + 1) == .success && question.answer.withLock { $0 }
    }

    fileprivate final class Question: Sendable {
        let pid: Int32
        let variable: String
        let answer = Lock(false)
        let isAnswered = DispatchSemaphore(value: 0)

        init(pid: Int32, variable: String) {
            self.pid = pid
            self.variable = variable
        }
    }
}

private nonisolated func answerQuestion(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    let question = Unmanaged<ProcessID.Question>.fromOpaque(context!).takeRetainedValue()
    let isThere = (contents(of: "/proc/\(question.pid)/environ") ?? "").split(separator: "\0").contains {
        $0 == question.variable
    }
    question.answer.withLock { $0 = isThere }
    question.isAnswered.signal()
    return nil
}
