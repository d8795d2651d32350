import CLinux
import Glibc
import LinuxSystem
public import SystemPackage

/// What a load client tells the bench: one page of a file that both have, written through a shared mapping, so that it
/// is there however the client ends.
public struct LoadStatus: Sendable {
    static let pageSize = 16384
    private static let errorBase = 64
    static let latencyBase = 512

    /// Operations that were completed, successful or not.
    public let operations: UInt64
    /// Data that was not what it should be.
    public let mismatches: UInt64
    /// Where the last mismatch was: an operation's number in ``LoadOperation``.
    public let mismatchOperation: UInt64
    /// Files that were fsynced and stand in the client's ledger.
    public let synced: UInt64
    /// The operation it is in.
    public let current: UInt64
    /// How long its operations took.
    public let latencies: LatencyTable
    /// What it does without, since the mount has it not.
    public let missing: LoadFeatures
    /// The client has set itself up and does its work.
    public let isWorking: Bool
    /// It died of SIGBUS or SIGSEGV in a mapping.
    public let faulted: Bool
    /// How often each errno came.
    public let errors: [Errno: UInt64]
    /// The first unusual errno and the operation that got it.
    public let firstError: (operation: UInt64, errno: Errno)?

    /// The page as it is now; nil if the client has not made it yet.
    public static func read(_ path: FilePath) -> LoadStatus? {
        var words = [UInt64](repeating: 0, count: pageSize / 8)
        let file = open(path.string, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        guard pread(file, &words, pageSize, 0) == pageSize else { return nil }
        return LoadStatus(words: words)
    }

    private init(words: [UInt64]) {
        operations = words[Slot.operations.rawValue]
        mismatches = words[Slot.mismatches.rawValue]
        mismatchOperation = words[Slot.mismatchOperation.rawValue]
        synced = words[Slot.synced.rawValue]
        current = words[Slot.current.rawValue]
        latencies = LatencyTable(words: words[LoadStatus.latencyBase...])
        missing = LoadFeatures(rawValue: words[Slot.missing.rawValue])
        isWorking = words[Slot.working.rawValue] != 0
        faulted = words[Slot.faulted.rawValue] != 0
        var errors: [Errno: UInt64] = [:]
        for number in 1..<256 where words[LoadStatus.errorBase + number] != 0 {
            errors[Errno(rawValue: CInt(number))] = words[LoadStatus.errorBase + number]
        }
        self.errors = errors
        let first = words[Slot.firstError.rawValue]
        firstError = first == 0 ? nil : (first >> 32, Errno(rawValue: CInt(first & 0xffff_ffff)))
    }

    enum Slot: Int {
        case operations, mismatches, mismatchOperation, synced, current, working, faulted, firstError, missing
    }

    /// The client's side.
    ///
    /// Owned by the client's only thread; its signal handler writes ``Slot/faulted``.
    struct Writer {
        let words: UnsafeMutablePointer<UInt64>

        /// Creates the page.
        ///
        /// - Throws: the errno of open(2), ftruncate(2) or mmap(2).
        init(_ path: String) throws(Errno) {
            let file = try Errno.check { clinux_openat(AT_FDCWD, path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644) }
            defer { close(file) }
            _ = try Errno.check { ftruncate(file, off_t(pageSize)) }
            let memory = mmap(nil, pageSize, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
            guard let memory, memory != MAP_FAILED else { throw .noMemory }
            words = memory.assumingMemoryBound(to: UInt64.self)
        }

        func get(_ slot: Slot) -> UInt64 { words[slot.rawValue] }
        func set(_ slot: Slot, _ value: UInt64) { words[slot.rawValue] = value }
        func add(_ slot: Slot) { words[slot.rawValue] &+= 1 }

        func record(_ nanoseconds: UInt64, of operation: LoadOperation) {
            LatencyTable.record(nanoseconds, of: operation, in: words + LoadStatus.latencyBase)
        }

        func record(_ error: Errno, in operation: LoadOperation) {
            let number = Int(error.rawValue)
            if number > 0 && number < 256 { words[LoadStatus.errorBase + number] &+= 1 }
            if error != .interrupted && words[Slot.firstError.rawValue] == 0 {
                set(.firstError, operation.rawValue << 32 | UInt64(UInt32(bitPattern: error.rawValue)))
            }
        }
    }
}
