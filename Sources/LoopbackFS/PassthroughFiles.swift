import LinuxSystem
import SystemPackage

/// Backing files that are registered with the kernel for passthrough, one for each inode: the kernel wants all opens of an
/// inode to name the same one.
final class PassthroughFiles: Sendable {
    /// Held over the registration, so that two first opens of one inode do not both register. Leaf.
    private let state = Lock<State>(State())

    private struct State {
        var register: (@Sendable (CInt) throws(Errno) -> Int32)?
        var unregister: (@Sendable (Int32) -> Void)?
        var files: [UInt64: (backing: Int32, uses: Int)] = [:]
    }

    func setRegistration(
        register: @escaping @Sendable (CInt) throws(Errno) -> Int32, unregister: @escaping @Sendable (Int32) -> Void
    ) {
        state.withLock {
            $0.register = register
            $0.unregister = unregister
        }
    }

    /// The backing id of an inode, counted as used; `descriptor` is registered if it has none yet. nil if there is no
    /// registration, or the kernel refuses it.
    func use(_ node: UInt64, descriptor: CInt) -> Int32? {
        state.withLock { state in
            if let file = state.files[node] {
                state.files[node] = (file.backing, file.uses + 1)
                return file.backing
            }
            guard let register = state.register, let backing = try? register(descriptor) else { return nil }
            state.files[node] = (backing, 1)
            return backing
        }
    }

    /// One open of the inode is gone.
    func release(_ node: UInt64) {
        state.withLock { state in
            guard let file = state.files[node] else { return }
            if file.uses > 1 {
                state.files[node] = (file.backing, file.uses - 1)
            } else {
                state.files[node] = nil
                state.unregister?(file.backing)
            }
        }
    }
}
