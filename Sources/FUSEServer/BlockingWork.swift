import LinuxSystem
import SystemPackage

/// Runs deferred work, each piece on a thread of its own: it blocks for as long as a lock is held or a copy takes, and
/// there may be as many at once as the kernel lets requests wait.
public final class BlockingWork: Sendable {
    private let threads = Lock<[ServerThread]>([])

    init() {}

    /// Starts `body`. When the system has no more threads, it is done in this one: slow, but it is done.
    public func run(_ body: @escaping @Sendable () -> Void) {
        do throws(Errno) {
            let thread = try ServerThread.start(name: "deferred", body)
            threads.withLock { list in
                list.removeAll { $0.hasEnded }
                list.append(thread)
            }
        } catch {
            body()
        }
    }

    /// Waits for all that is under way.
    ///
    /// - Returns: the names of the threads that did not end in time.
    func join(until deadline: Deadline) -> [String] {
        ServerThread.join(threads.withLock { $0 }, until: deadline).map(\.name)
    }
}
