package import Synchronization
public import SystemPackage

/// An open file under the source directory, and what its last reads and writes took: the transport needs both.
///
/// Owns the descriptor and closes it when the last reference goes, so that one in use by a transport stays open.
public final class BackingFile: Sendable {
    /// Open for what the client may do with the file.
    public let descriptor: FileDescriptor
    /// Opened with O_DIRECT: no page cache answers, and buffers must be aligned.
    public let isDirect: Bool
    /// Where the transport remembers what to do with the next request (``IOPolicy``).
    package let policy = IOPolicy()
    /// Its filesystem cannot read into or write from buffers that are registered with io_uring, and so not a client's pages.
    package let refusesRegisteredBuffers = Atomic<Bool>(false)
    /// io_uring has a thread of its own write to it: its page cache cannot be tried without waiting.
    package let isWrittenAside = Atomic<Bool>(false)

    /// Takes the descriptor over.
    public init(_ descriptor: FileDescriptor, isDirect: Bool) {
        self.descriptor = descriptor
        self.isDirect = isDirect
    }

    deinit {
        try? descriptor.close()
    }
}
