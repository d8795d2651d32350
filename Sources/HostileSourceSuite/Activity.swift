import CBench
import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// What a worker does at this moment: a page of a file that it and the bench have mapped, so that it is there however the worker
/// ends. Each word has one writer.
final class Activity {
    private enum Word: Int {
        /// Operations that have ended.
        case done
        /// The number of the operation that it is in, plus one; 0 between two.
        case operation
        /// Set by the bench: all at the name that changes fastest.
        case isStorm
        /// Set by the bench: end.
        case isStopped
    }

    private let words: UnsafeMutablePointer<UInt64>

    /// Maps the file, which is made if it is not there.
    ///
    /// - Throws: the errno of open(2), ftruncate(2) or mmap(2).
    init(_ path: String) throws(Errno) {
        let file = try Errno.check { clinux_openat(AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600) }
        defer { close(file) }
        _ = try Errno.check { ftruncate(file, 4096) }
        guard let memory = cbench_map(file, 0, 4096, 1, 1) else { throw .last }
        words = memory.bindMemory(to: UInt64.self, capacity: 512)
    }

    deinit { munmap(words, 4096) }

    var done: UInt64 { words[Word.done.rawValue] }
    /// The number of the operation that it is in; nil between two.
    var operation: Int? {
        let word = words[Word.operation.rawValue]
        return word == 0 ? nil : Int(word) - 1
    }
    var isStorm: Bool { words[Word.isStorm.rawValue] != 0 }
    var isStopped: Bool { words[Word.isStopped.rawValue] != 0 }

    func beginStorm() { words[Word.isStorm.rawValue] = 1 }

    func stop() { words[Word.isStopped.rawValue] = 1 }

    /// Runs an operation whose start and end the bench can see.
    func during(_ operation: Int, _ body: () -> Void) {
        words[Word.operation.rawValue] = UInt64(operation) + 1
        body()
        words[Word.operation.rawValue] = 0
        words[Word.done.rawValue] += 1
    }
}
