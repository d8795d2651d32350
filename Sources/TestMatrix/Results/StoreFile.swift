import GRDB

/// The SQLite file of a ``Store``. What SQLite says about the file itself becomes a ``StoreError`` that names it.
struct StoreFile: Sendable {
    private let path: String
    private let queue: DatabaseQueue

    init(path: String, configuration: Configuration) throws {
        self.path = path
        queue = try StoreFile.naming(path) { try DatabaseQueue(path: path, configuration: configuration) }
    }

    func read<Value>(_ body: (Database) throws -> Value) throws -> Value {
        try StoreFile.naming(path) { try queue.read(body) }
    }

    func write<Value>(_ body: (Database) throws -> Value) throws -> Value {
        try StoreFile.naming(path) { try queue.write(body) }
    }

    func migrate(by migrator: DatabaseMigrator) throws {
        try StoreFile.naming(path) { try migrator.migrate(queue) }
    }

    func checkpoint() {
        _ = try? queue.writeWithoutTransaction { try $0.checkpoint(.passive) }
    }

    private static func naming<Value>(_ path: String, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as DatabaseError {
            let why = error.message ?? "\(error.resultCode)"
            switch error.resultCode {
            // SQLITE_ERROR: a table or a column that should be there is not.
            case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_ERROR: throw StoreError.damaged(path, why)
            case .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_BUSY:
                throw StoreError.notWritable(path, why)
            default: throw error
            }
        }
    }
}
