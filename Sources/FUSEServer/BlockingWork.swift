import LinuxSystem
import Synchronization
package import SystemPackage

/// Runs deferred work, each piece on a thread of its own: it blocks for as long as a lock is held or a copy takes, and
/// there may be as many at once as the kernel lets requests wait.
package final class BlockingWork: Sendable {
    /// Pieces that may be under way at once.
    package static let limit = 4096

    /// Ended ones among them are taken out now and then.
    private let threads = Lock<[ServerThread]>([])
    private let running = Atomic<Int>(0)
    private let limit: Int

    init(limit: Int = BlockingWork.limit) {
        self.limit = limit
    }

    /// Starts `body`. Unless it returns at once it is never run by the caller's own thread, which has other requests to serve.
    ///
    /// - Throws: EAGAIN if as many as there may be are under way, or the system has no more threads.
    package func run(blocks: Bool = true, _ body: @escaping @Sendable () -> Void) throws(Errno) {
        if !blocks { return body() }
        let now = running.add(1, ordering: .relaxed).newValue
        do throws(Errno) {
            guard now <= limit else { throw .resourceTemporarilyUnavailable }
            let thread = try ServerThread.start(name: "deferred") { [self] in
                body()
                running.subtract(1, ordering: .relaxed)
            }
            threads.withLock { list in
                if list.count > 2 * now { list.removeAll { $0.hasEnded } }
                list.append(thread)
            }
        } catch {
            running.subtract(1, ordering: .relaxed)
            throw error
        }
    }

    /// Waits for all that is under way.
    ///
    /// - Returns: the names of the threads that did not end in time.
    func join(until deadline: Deadline) -> [String] {
        ServerThread.join(threads.withLock { $0 }, until: deadline).map(\.name)
    }
}
