import CLinux
import FUSEServer
import Glibc
import LinuxSystem
import Synchronization
import SystemPackage

/// Closes what is open of the source's other mounts half a second to a second after its last use.
///
/// Its thread starts with the first such mount, and sleeps while nothing of them is open.
final class MountSweeper: Sendable {
    private static let milliseconds: CInt = 500

    private let mounts = Lock<[BackingMount]>([])
    private let event: EventDescriptor
    private let thread = Lock<ServerThread?>(nil)
    private let isStarted = Atomic<Bool>(false)
    private let isAwake = Atomic<Bool>(false)
    private let isStopping = Atomic<Bool>(false)

    init() throws(Errno) {
        event = try EventDescriptor()
    }

    /// Watches over a mount from now on. Without a thread for that, what is opened of it stays open.
    func add(_ mount: BackingMount) {
        mounts.withLock { $0.append(mount) }
        guard !isStarted.exchange(true, ordering: .acquiringAndReleasing) else { return }
        let started = try? ServerThread.start(name: "mounts") { [self] in run() }
        thread.withLock { $0 = started }
    }

    /// Something was opened.
    func wake() {
        if !isAwake.exchange(true, ordering: .acquiringAndReleasing) { event.signal() }
    }

    func stop() {
        isStopping.store(true, ordering: .releasing)
        event.signal()
        if let thread = thread.withLock({ $0 }) { _ = ServerThread.join([thread], until: Deadline(secondsFromNow: 2)) }
        mounts.withLock { $0 = [] }
    }

    private func run() {
        while !isStopping.load(ordering: .acquiring) {
            // What is opened from here on wakes it again.
            isAwake.store(false, ordering: .sequentiallyConsistent)
            var isOpen = false
            for mount in mounts.withLock({ $0 }) where mount.sweep() { isOpen = true }
            if isOpen { isAwake.store(true, ordering: .releasing) }
            var entry = pollfd(fd: event.descriptor.rawValue, events: Int16(POLLIN), revents: 0)
            _ = unsafe poll(&entry, 1, isOpen ? MountSweeper.milliseconds : -1)
            event.clear()
        }
    }
}
