import Glibc
import LinuxSystem

/// A sanitizer that a daemon was built with.
enum Sanitizer: String, Sendable {
    case address = "AddressSanitizer"
    case thread = "ThreadSanitizer"

    /// The sanitizer of a program, told by the runtime's symbols in its file; nil if it has none.
    static func of(program: String) -> Sanitizer? {
        cache.withLock { cache in
            if let known = cache[program] { return known }
            let result = read(program)
            cache[program] = .some(result)
            return result
        }
    }

    private static let cache = Lock<[String: Sanitizer?]>([:])

    /// The line of a log that reports something.
    func finding(in log: String) -> String? {
        log.split(separator: "\n").first { line in
            line.contains("ERROR: \(rawValue)") || line.contains("WARNING: \(rawValue)")
                || line.contains("ERROR: LeakSanitizer")
        }.map(String.init)
    }

    private static func read(_ program: String) -> Sanitizer? {
        let path = program.contains("/") ? program : which(program)
        guard let path, let file = open(path) else { return nil }
        defer { munmap(file.memory, file.size) }
        func contains(_ symbol: String) -> Bool {
            symbol.withCString { memmem_(file.memory, file.size, $0, strlen($0)) }
        }
        // Put together here, so that this program does not hold the very names that it looks for.
        for (sanitizer, short) in [(Sanitizer.thread, "tsan"), (.address, "asan")]
        where contains("__" + [short, "init"].joined(separator: "_")) {
            return sanitizer
        }
        return nil
    }

    private static func which(_ program: String) -> String? {
        guard let path = getenv("PATH") else { return nil }
        return String(cString: path).split(separator: ":").map { "\($0)/\(program)" }.first { access($0, X_OK) == 0 }
    }

    private static func open(_ path: String) -> (memory: UnsafeMutableRawPointer, size: Int)? {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        let size = Int(lseek(descriptor, 0, SEEK_END))
        guard size > 0, let memory = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), memory != MAP_FAILED else {
            return nil
        }
        return (memory, size)
    }
}

/// memmem(3).
private func memmem_(_ memory: UnsafeRawPointer, _ size: Int, _ pattern: UnsafeRawPointer, _ length: Int) -> Bool {
    let first = pattern.load(as: UInt8.self)
    var position = memory
    var left = size
    while left >= length, let found = memchr(position, CInt(first), left - length + 1) {
        if memcmp(found, pattern, length) == 0 { return true }
        left -= UnsafeRawPointer(found) - position + 1
        position = UnsafeRawPointer(found) + 1
    }
    return false
}
