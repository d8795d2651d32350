import LinuxSystem
import SystemPackage

/// How the open files of each inode reach their data, where passthrough was agreed on: the kernel wants all opens of an inode
/// that are there at the same time to go the same way, past the daemon to the same backing file or not.
final class PassthroughFiles: Sendable {
    /// Held over the registration, so that two first opens of one inode do not both register. Leaf.
    private let state = Lock<State>(State())

    private struct State {
        var register: (@Sendable (CInt) throws(Errno) -> Int32)?
        var unregister: (@Sendable (Int32) -> Void)?
        /// By node; the backing id is nil for those that do not pass through.
        var files: [UInt64: (backing: Int32?, opens: Int)] = [:]
    }

    func setRegistration(
        register: @escaping @Sendable (CInt) throws(Errno) -> Int32, unregister: @escaping @Sendable (Int32) -> Void
    ) {
        state.withLock {
            $0.register = register
            $0.unregister = unregister
        }
    }

    /// Counts an open of an inode: the backing id that it has to name, or nil if it shall not pass through.
    ///
    /// - Parameters:
    ///   - descriptor: registered if this is the inode's only open, and the kernel does not refuse it.
    ///   - permitted: asked of an inode's only open, whether it may pass through.
    func open(_ node: UInt64, descriptor: CInt, permitted: () -> Bool) -> Int32? {
        state.withLock { state in
            if let file = state.files[node] {
                state.files[node] = (file.backing, file.opens + 1)
                return file.backing
            }
            var backing: Int32?
            if permitted(), let register = state.register { backing = try? register(descriptor) }
            state.files[node] = (backing, 1)
            return backing
        }
    }

    /// One open of the inode is gone.
    func release(_ node: UInt64) {
        state.withLock { state in
            guard let file = state.files[node] else { return }
            if file.opens > 1 {
                state.files[node] = (file.backing, file.opens - 1)
            } else {
                state.files[node] = nil
                if let backing = file.backing { state.unregister?(backing) }
            }
        }
    }
}
