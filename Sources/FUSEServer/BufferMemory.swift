import Glibc
package import SystemPackage

/// Memory that requests' data goes through, in huge pages where the kernel gives them.
///
/// Direct I/O takes one segment of a disk's request for each piece that lies together in physical memory: up to 256 for a
/// mebibyte of small pages. What this is worth is in `docs/performance.md`.
// Safe: the mapping is this value's own; whoever keeps `bytes` longer than that is marked where it does.
@safe
package struct BufferMemory: ~Copyable, @unchecked Sendable {
    /// Begins at a page; all zero at first.
    package let bytes: UnsafeMutableRawBufferPointer

    /// The kernel aligns a mapping for huge pages if its size is a multiple of one.
    private static let hugePageSize = 2 << 20

    /// Its pages come from the NUMA node of the thread that touches them first.
    ///
    /// - Throws: ENOMEM.
    package init(byteCount: Int) throws(Errno) {
        let size = (byteCount + BufferMemory.hugePageSize - 1) & ~(BufferMemory.hugePageSize - 1)
        let mapped = unsafe mmap(
            nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | CInt(0x20) /* MAP_ANONYMOUS */, -1, 0)
        guard let mapped = unsafe mapped, unsafe mapped != UnsafeMutableRawPointer(bitPattern: -1) else {
            throw .noMemory
        }
        // Refused by kernels without huge pages, which does no harm.
        unsafe madvise(mapped, size, 14 /* MADV_HUGEPAGE */)
        unsafe bytes = unsafe UnsafeMutableRawBufferPointer(start: mapped, count: size)
    }

    deinit {
        unsafe munmap(bytes.baseAddress!, bytes.count)
    }
}
