import Foundation
import GRDB
import Glibc
import SystemPackage

/// The results of all runs: one SQLite file.
///
/// Write-ahead log and full synchronisation: what was recorded survives a kill and a power cut. Several benches may use one
/// file at once; each waits for the other's write, up to ``Store/patience``.
public final class Store: Sendable {
    public let path: String
    let database: StoreFile

    /// How long a writer waits for another process's writer, in seconds.
    static let patience: TimeInterval = 60

    /// Opens the file, makes it if there is none, and brings its schema up to date.
    ///
    /// - Parameters:
    ///   - mustExist: a missing file is an error; for commands that only read.
    ///   - isScratch: the file is a copy that nobody else sees and that is thrown away: it waits neither for the disk nor for a lock.
    /// - Throws: ``StoreError``.
    public init(path: String, mustExist: Bool = false, isScratch: Bool = false) throws {
        self.path = path
        if mustExist && !FileManager.default.fileExists(atPath: path) { throw StoreError.noStore(path) }
        var configuration = Configuration()
        configuration.busyMode = .timeout(Store.patience)
        configuration.prepareDatabase { database in
            // Not by the library's way, which would wait for the disk at checkpoints alone.
            try database.execute(sql: "PRAGMA journal_mode = WAL")
            try database.execute(sql: "PRAGMA synchronous = \(isScratch ? "OFF" : "FULL")")
            try database.execute(sql: "PRAGMA cache_size = -65536")
            try database.execute(sql: "PRAGMA mmap_size = 1073741824")
        }
        // The change to the write-ahead log, and migrations, are made by one process at a time.
        let lock = isScratch ? nil : try Store.lock(path + ".lock")
        defer { if let lock { close(lock) } }
        database = try StoreFile(path: path, configuration: configuration)
        let migrator = Store.migrator
        if try database.read(migrator.hasBeenSuperseded) { throw StoreError.newerSchema(path) }
        try database.migrate(by: migrator)
    }

    /// A lock that goes with the descriptor, and so with the process.
    private static func lock(_ path: String) throws -> Int32 {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw StoreError.notWritable(path, String(cString: strerror(errno))) }
        while flock(descriptor, LOCK_EX) < 0 && errno == EINTR {}
        return descriptor
    }

    /// `ok`, or what SQLite finds wrong with the file.
    public func integrityCheck() throws -> String {
        try database.read { try String.fetchOne($0, sql: "PRAGMA integrity_check") ?? "no answer" }
    }

    /// Writes the log back into the file, so that the one file is all there is. Best effort: another bench may be reading.
    public func checkpoint() {
        database.checkpoint()
    }
}
