import CLinux
import Glibc
package import LinuxSystem
import Synchronization
package import SystemPackage

/// A thread of the server: named, perhaps pinned, and joined with a deadline.
///
/// Swift's own concurrency is no help here: these threads block in system calls, belong to a core and must be woken out
/// of a read(2).
package final class ServerThread: Sendable {
    /// Shown by `ps -L` and in messages about threads that did not end; 15 bytes at most.
    package let name: String
    /// nil once it runs: what it holds, such as an open file, must go with its end and not with this object's.
    private let body: Lock<(@Sendable () -> Void)?>
    private let threadID = Atomic<CInt>(0)
    private let ended = Atomic<Bool>(false)

    private init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = Lock(body)
    }

    private func run() {
        let body = body.withLock { body in
            defer { body = nil }
            return body
        }
        body?()
    }

    /// Starts a thread, with every signal blocked but the wake-up.
    ///
    /// - Throws: EAGAIN when the system has no more threads, ENOMEM without address space for one and what it first needs.
    package static func start(name: String, _ body: @escaping @Sendable () -> Void) throws(Errno) -> ServerThread {
        try AddressSpace.check(for: clinux_stack_size())
        let thread = ServerThread(name: name, body: body)
        // Let go by `enter`, or below if there is no thread.
        let argument = unsafe Unmanaged.passRetained(thread)
        var handle = pthread_t()
        let error = unsafe pthread_create(&handle, nil, enter, argument.toOpaque())
        if error != 0 {
            unsafe argument.release()
            throw Errno(rawValue: error)
        }
        pthread_detach(handle)
        return thread
    }

    /// A pthread body must be a function that captures nothing.
    private static let enter: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { argument in
        let thread = unsafe Unmanaged<ServerThread>.fromOpaque(argument!).takeRetainedValue()
        setName(thread.name)
        thread.threadID.store(clinux_gettid(), ordering: .releasing)
        thread.run()
        thread.ended.store(true, ordering: .releasing)
        return nil
    }

    /// Names the calling thread, as `ps` shows it; the main thread's name is the process's (prctl(2), PR_SET_NAME). What is
    /// beyond 15 bytes the kernel leaves out: a thread that is born short of memory asks for none.
    package static func setName(_ name: String) {
        unsafe name.withCString { _ = clinux_prctl(15 /* PR_SET_NAME */, UInt(bitPattern: $0)) }
    }

    /// Whether its body has returned.
    package var hasEnded: Bool { ended.load(ordering: .acquiring) }

    /// Ends a system call that the thread blocks in with EINTR. One that is only about to begin is not affected, so a
    /// caller repeats this until the thread has ended.
    package func interrupt() {
        let id = threadID.load(ordering: .acquiring)
        if id != 0 && !hasEnded { _ = clinux_tgkill(id, WakeUpSignal.number) }
    }

    /// Waits until all of `threads` have ended or `deadline` has passed, waking them over and over.
    ///
    /// - Returns: those that have not ended.
    package static func join(_ threads: [ServerThread], until deadline: Deadline) -> [ServerThread] {
        var left = threads
        var pause: UInt32 = 50
        while true {
            left.removeAll { $0.hasEnded }
            if left.isEmpty || deadline.hasPassed { return left }
            for thread in left { thread.interrupt() }
            usleep(pause)
            pause = min(pause * 2, 5_000)
        }
    }
}
