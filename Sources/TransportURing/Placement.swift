import CLinux
import LinuxSystem

/// Where the thread of a core's ring runs. Used by that thread alone.
///
/// On its core, for what it copies is then in that core's caches, and a request comes to it without waking another core. But
/// a pinned thread cannot serve a lone client from beside it, and holds it where its device's interrupts may not come: then
/// the scheduler may choose among the cores of the package (``WaitPolicy``), and so finds a place for both.
final class Placement {
    private let home: CInt
    /// CPUs of the same package that this process may use.
    private let near: [CInt]
    private var isPinned = false
    private var canMove = false

    init(cpu: Int) {
        home = CInt(cpu)
        near = CPUSet.sharingPackage(with: cpu).filter(CPUSet.allows).map { CInt($0) }
    }

    /// Pins the calling thread.
    ///
    /// - Returns: false if it may not run on its CPU, and so runs anywhere.
    func pin() -> Bool {
        isPinned = unsafe clinux_place_thread([home], 1) == 0
        canMove = isPinned && near.count > 1
        return isPinned
    }

    /// Pins the calling thread again, or lets it go, where there is anywhere to go.
    func set(pinned: Bool) {
        guard canMove && pinned != isPinned else { return }
        let done = unsafe pinned ? clinux_place_thread([home], 1) : clinux_place_thread(near, near.count)
        if done == 0 { isPinned = pinned }
    }
}
