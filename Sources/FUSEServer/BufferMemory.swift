import Glibc
package import SystemPackage

/// Memory that requests' data goes through, in huge pages where that is asked for and the kernel gives them.
///
/// Direct I/O takes one segment of a disk's request for each piece that lies together in physical memory: up to 256 for a
/// mebibyte of small pages. What this is worth is in `docs/performance.md`.
// Safe: the mapping is this value's own; whoever keeps `bytes` longer than that is marked where it does.
@safe
package struct BufferMemory: ~Copyable, @unchecked Sendable {
    /// Begins at a page; all zero at first.
    package let bytes: UnsafeMutableRawBufferPointer

    /// The kernel aligns a mapping for huge pages if its size is a multiple of one.
    package static let hugePageSize = 2 << 20

    /// Its pages come from the NUMA node of the thread that touches them first. What nobody touches costs nothing.
    ///
    /// - Parameter hugePages: a byte that is touched then costs as much as one of them.
    /// - Throws: ENOMEM.
    package init(byteCount: Int, hugePages: Bool = true) throws(Errno) {
        let size = (byteCount + BufferMemory.hugePageSize - 1) & ~(BufferMemory.hugePageSize - 1)
        try AddressSpace.check(for: size)
        let flags = MAP_PRIVATE | CInt(0x20) /* MAP_ANONYMOUS */ | CInt(0x4000) /* MAP_NORESERVE */
        let mapped = unsafe mmap(nil, size, PROT_READ | PROT_WRITE, flags, -1, 0)
        guard let mapped = unsafe mapped, unsafe mapped != UnsafeMutableRawPointer(bitPattern: -1) else {
            throw .noMemory
        }
        // Refused by kernels without huge pages, which does no harm.
        unsafe madvise(mapped, size, hugePages ? 14 /* MADV_HUGEPAGE */ : 15 /* MADV_NOHUGEPAGE */)
        unsafe bytes = unsafe UnsafeMutableRawBufferPointer(start: mapped, count: size)
    }

    deinit {
        unsafe munmap(bytes.baseAddress!, bytes.count)
    }
}
