import FUSEProtocol
import LinuxSystem
import SystemPackage

/// What is agreed on in INIT about sizes, and with it the size of every buffer that a message goes through.
///
/// A buffer holds the largest message of *any* opcode, whatever was asked for about data: an extended attribute takes 64 KiB where
/// WRITEs take 4.
package struct Limits: Sendable, Equatable {
    /// The largest WRITE's data, in bytes.
    package let maxWrite: Int
    /// Pages of the largest READ, READDIR or IOCTL.
    package let maxPages: Int
    /// Bytes of any request's payload and of any reply's body, in whole pages: what a buffer must hold.
    package let payloadSize: Int
    /// What the kernel takes an entry's payload to hold, whatever was registered: larger messages must not come.
    package let entryPayloadSize: Int

    /// Direct I/O is split at these, so they must not be odd (the kernel's own minimum, too).
    private static let granularity = 4096

    /// - Parameters:
    ///   - maxWrite: asked for, in bytes; rounded down to a multiple of 4,096.
    ///   - pageLimit: the kernel's limit for `maxPages` (`fs.fuse.max_pages_limit`), to which it cuts what is above it.
    ///   - pageSize: bytes of a page.
    package init(maxWrite: Int, pageLimit: Int, pageSize: Int = MemoryPage.size) {
        let needed = MemoryPage.count(for: Message.largestAttribute, size: pageSize) * pageSize
        let asked = max(Limits.granularity, maxWrite / Limits.granularity * Limits.granularity)
        maxPages = min(MemoryPage.count(for: max(asked, needed), size: pageSize), max(1, pageLimit), Int(UInt16.max))
        // No WRITE has more pages than that either; entries would be larger for nothing.
        self.maxWrite = min(asked, max(maxPages * pageSize, needed))
        entryPayloadSize = max(Message.minimumBufferSize, self.maxWrite, maxPages * pageSize)
        payloadSize = MemoryPage.count(for: max(entryPayloadSize, needed), size: pageSize) * pageSize
    }

    /// With the limit of the running kernel.
    init(maxWrite: Int) {
        // The file is there since Linux 6.13; before, the limit was 256.
        let limit = (try? readWhole("/proc/sys/fs/fuse/max_pages_limit")).flatMap { Int($0.filter(\.isNumber)) }
        self.init(maxWrite: maxWrite, pageLimit: limit ?? 256)
    }

    /// Whether an entry of the ring holds the largest message.
    package var entriesHoldEverything: Bool { entryPayloadSize >= Message.largestAttribute }
}
