import CLinux
import LinuxSystem

/// Where the thread of a core's ring runs. Used by that thread alone.
///
/// On its core, for what it copies is then in that core's caches, and a request comes to it without waking another core. But
/// a pinned thread holds a lone client on its core, too, by waking it there. Where requests sleep for a device, whose
/// interrupt may come elsewhere, this costs more than the caches are worth: then the scheduler chooses among the cores of
/// the package, and so finds a place for both.
final class Placement {
    /// Requests in a row that must have slept before the thread is let go.
    static let patience = 16

    private let home: CInt
    /// CPUs of the same package that this process may use.
    private let near: [CInt]
    private var slept = 0
    private var isPinned = false

    init(cpu: Int) {
        home = CInt(cpu)
        near = CPUSet.sharingPackage(with: cpu).filter(CPUSet.allows).map { CInt($0) }
    }

    /// Pins the calling thread.
    ///
    /// - Returns: false if it may not run on its CPU, and so runs anywhere.
    func pin() -> Bool {
        isPinned = clinux_place_thread([home], 1) == 0
        return isPinned
    }

    /// An inline request has ended.
    ///
    /// - Parameter slept: nil if that was not watched.
    func note(slept: Bool?) {
        guard let slept else { return }
        self.slept = slept ? min(self.slept + 1, Placement.patience) : 0
    }

    /// Called before what has come is served.
    ///
    /// - Parameter alone: requests come one by one.
    func adjust(alone: Bool) {
        let shallBePinned = !alone || slept < Placement.patience
        if shallBePinned != isPinned && near.count > 1 { move(pinned: shallBePinned) }
    }

    private func move(pinned: Bool) {
        let done = pinned ? clinux_place_thread([home], 1) : clinux_place_thread(near, near.count)
        if done == 0 { isPinned = pinned }
    }
}
