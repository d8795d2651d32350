import CBench
import CLinux
import Glibc
import LinuxSystem
import Synchronization
import SystemPackage

/// A process that works on a mount until it is told to stop or the connection ends, and writes down what it saw.
///
/// It works in a folder of its own, reached through a descriptor, so that it stays on this mount whatever else is mounted
/// at the same place later. SIGTERM makes it clean up and end; SIGUSR1 only interrupts what it waits for.
public final class LoadClient {
    public struct Options: Sendable {
        public var kind: LoadKind
        /// The mount point.
        public var root: String
        /// Different for each client of a cycle.
        public var id: UInt64
        public var seed: UInt64
        /// The file of its ``LoadStatus``.
        public var status: String
        /// Where it writes down what is fsynced; on another filesystem.
        public var ledger: String
        /// The CPU, and so the kernel queue, that it works on; nil for any.
        public var cpu: Int?
        /// The connection that the mount point must lead to: what else lies there is left alone.
        public var connection: UInt32?
        /// It ends by itself after so many; nil for never.
        public var operations: Int?

        public init(
            kind: LoadKind, root: String, id: UInt64, seed: UInt64, status: String, ledger: String, cpu: Int?,
            connection: UInt32?, operations: Int? = nil
        ) {
            self.kind = kind
            self.root = root
            self.id = id
            self.seed = seed
            self.status = status
            self.ledger = ledger
            self.cpu = cpu
            self.connection = connection
            self.operations = operations
        }
    }

    let options: Options
    let status: LoadStatus.Writer
    var random: SplitMix64
    /// The client's folder on the mount.
    var folder: CInt = -1
    let ledger: CInt
    /// Blocks of ``LoadFiles/blocks(in:)`` bytes, aligned for O_DIRECT.
    let buffer: UnsafeMutableRawPointer
    /// The version that each file was last written in whole; 0 if it does not exist.
    var versions = [UInt64](repeating: 0, count: LoadFiles.count)
    /// What the daemon does not have: nobody asks for it again.
    var missing: LoadFeatures = []

    /// The folder's name below the mount.
    static func folderName(id: UInt64) -> String { "load-\(id)" }

    private init(_ options: Options) throws(Errno) {
        self.options = options
        status = try LoadStatus.Writer(options.status)
        random = SplitMix64(seed: options.seed ^ SplitMix64.mix(options.id))
        ledger = try Errno.check {
            clinux_openat(AT_FDCWD, options.ledger, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        }
        var memory: UnsafeMutableRawPointer?
        guard posix_memalign(&memory, LoadBlock.size, LoadFiles.mostBlocks * LoadBlock.size) == 0, let memory else {
            throw .noMemory
        }
        buffer = memory
    }

    deinit {
        free(buffer)
        close(ledger)
        if folder >= 0 { close(folder) }
    }

    /// Works until SIGTERM or until the connection is dead.
    ///
    /// - Returns: the exit status: 0, or 1 if it could not set itself up.
    public static func run(_ options: Options) -> CInt {
        do {
            let client = try LoadClient(options)
            statusWords = client.status.words
            installSignalHandlers()
            if let cpu = options.cpu { _ = clinux_place_thread([CInt(cpu)], 1) }
            client.work()
            return 0
        } catch {
            return 1
        }
    }

    private func work() {
        do {
            try setUp()
            status.set(.working, 1)
            while !stopRequested && !isThrough { try step(kind: options.kind) }
            status.set(.working, 0)
            try cleanUp()
        } catch {
            // A dead connection: the errno stands in the status, and the bench judges it.
            status.set(.working, 0)
        }
    }

    private var isThrough: Bool { options.operations.map { Int(status.get(.operations)) >= $0 } ?? false }

    /// Makes the client's folder, once the mount answers.
    private func setUp() throws(Errno) {
        let root = try attempt(.setUp) { [options] in open(options.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard root >= 0 else { throw .notDirectory }
        defer { close(root) }
        if let connection = options.connection {
            var information = stat()
            try attempt(.setUp) { fstat(root, &information) }
            // Too late, or too early: the mount is not there. That is no error of the mount's.
            guard information.st_dev == dev_t(connection & 0xff | (connection & ~0xff) << 12) else {
                throw .noSuchDevice
            }
        }
        let name = LoadClient.folderName(id: options.id)
        try attempt(.setUp) { mkdirat(root, name, 0o755) }
        folder = try attempt(.setUp) { openat_(root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        missing = try findMissing()
        status.set(.missing, missing.rawValue)
    }

    private func cleanUp() throws(Errno) {
        for file in 0..<LoadFiles.count where versions[file] > 0 {
            // From here on it may be gone.
            writeDown(UInt64(file), 0)
            try attempt(.cleanUp) { [folder] in unlinkat(folder, LoadFiles.name(UInt64(file)), 0) }
        }
        // By way of the folder itself: what the mount point leads to may be another mount by now.
        let parent = try attempt(.cleanUp) { [folder] in openat_(folder, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        defer { close(parent) }
        try attempt(.cleanUp) { [options] in
            unlinkat(parent, LoadClient.folderName(id: options.id), AT_REMOVEDIR)
        }
    }

    private func step(kind: LoadKind) throws(Errno) {
        switch kind {
        case .mixed:
            let kinds: [LoadKind] = [.metadata, .read, .write, .mmap]
            try step(kind: kinds[Int(random.next() % 4)])
        case .metadata: try metadataStep()
        case .read: try readStep()
        case .write: try writeStep()
        case .mmap: try mappedStep()
        }
    }

    /// Makes one system call and writes its outcome down.
    ///
    /// - Returns: its result, or -1 for an errno that the client goes on after (EINTR, or a feature that is not there).
    /// - Throws: any other errno: there is no going on.
    @discardableResult
    func attempt<Result: SignedInteger>(
        _ operation: LoadOperation, tolerating tolerated: [Errno] = [], _ call: () -> Result
    ) throws(Errno) -> Result {
        while true {
            status.set(.current, operation.rawValue)
            let start = cbench_now()
            defer { status.record(cbench_now() &- start, of: operation) }
            do {
                let result = try Errno.check(retryOnInterrupt: false, call)
                status.add(.operations)
                return result
            } catch {
                status.add(.operations)
                if tolerated.contains(error) { return -1 }
                status.record(error, in: operation)
                // A signal: once more, unless it was the one that ends the work. Calls are made so that this is harmless.
                if error == .interrupted && !stopRequested { continue }
                throw error
            }
        }
    }
}

/// The signal handlers' view of the client: there is one client in a process.
nonisolated(unsafe) private var statusWords: UnsafeMutablePointer<UInt64>?

/// An atomic, not a variable: a signal in the middle of an access to a variable is an exclusivity violation, and aborts.
private let stopFlag = Atomic(false)

var stopRequested: Bool { stopFlag.load(ordering: .relaxed) }

private func installSignalHandlers() {
    func install(_ signal: CInt, _ handler: @escaping @convention(c) (CInt) -> Void) {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = handler
        // No SA_RESTART: waiting calls shall end with EINTR.
        sigaction(signal, &action, nil)
    }
    install(SIGTERM) { _ in stopFlag.store(true, ordering: .relaxed) }
    install(SIGUSR1) { _ in }
    let fault: @convention(c) (CInt) -> Void = { _ in
        statusWords?[LoadStatus.Slot.faulted.rawValue] = 1
        _exit(0)
    }
    install(SIGBUS, fault)
    install(SIGSEGV, fault)
    // An unlink or a close that fails in between leaves no core behind.
    var limit = rlimit(rlim_cur: 0, rlim_max: 0)
    setrlimit(__rlimit_resource_t(4 /* RLIMIT_CORE */), &limit)
}

/// openat(2) with a mode for the files it makes.
func openat_(_ folder: CInt, _ name: String, _ flags: CInt) -> CInt { clinux_openat(folder, name, flags, 0o644) }
