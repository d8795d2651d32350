import Glibc
package import SystemPackage

/// What a limit on the process's address space (RLIMIT_AS) leaves.
package enum AddressSpace {
    /// Kept free for what is allocated in between, in bytes: twice as much as a ring's thread allocates until it is ready. Where such an
    /// allocation fails, the Swift runtime ends the process by a signal and without a word; whoever maps much can say that it is not there.
    private static let reserve = 4 << 20

    /// Tries whether so much can be mapped, and the reserve beside it.
    ///
    /// - Parameter byteCount: what is about to be mapped.
    /// - Throws: ENOMEM.
    package static func check(for byteCount: Int) throws(Errno) {
        let size = byteCount + reserve
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        guard let space = unsafe mmap(nil, size, PROT_NONE, flags, -1, 0), unsafe space != MAP_FAILED else {
            throw .noMemory
        }
        unsafe munmap(space, size)
    }
}
