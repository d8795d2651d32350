import FUSEServer
import Glibc
import LinuxSystem
import SystemPackage

/// The memory of one spare entry: a page for its header, then its payload.
///
/// The payload is as large as any, for the kernel may give the entry any request. But most of them are never used so, and
/// these pages are small ones: what was never touched costs nothing.
// Safe: the mapping is this object's own.
@safe
final class SpareMemory {
    private let start: UnsafeMutableRawPointer
    private let size: Int

    /// - Throws: ENOMEM.
    init(payloadSize: Int) throws(Errno) {
        size = MemoryPage.size + payloadSize
        try AddressSpace.check(for: size)
        let flags = MAP_PRIVATE | CInt(0x20) /* MAP_ANONYMOUS */ | CInt(0x4000) /* MAP_NORESERVE */
        let mapped = unsafe mmap(nil, size, PROT_READ | PROT_WRITE, flags, -1, 0)
        guard let mapped = unsafe mapped, unsafe mapped != UnsafeMutableRawPointer(bitPattern: -1) else {
            throw .noMemory
        }
        // Refused by kernels without huge pages, which does no harm.
        unsafe madvise(mapped, size, 15 /* MADV_NOHUGEPAGE */)
        unsafe start = unsafe mapped
    }

    deinit {
        unsafe munmap(start, size)
    }

    var header: UnsafeMutableRawPointer { unsafe start }

    var payload: UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(start: start + MemoryPage.size, count: size - MemoryPage.size)
    }
}
