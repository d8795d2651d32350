import CBench
import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// Processes that are kept for many rounds: each gets its operations through a pipe, waits for the others, and writes what it saw
/// into shared memory.
final class ConcurrentProcesses {
    private let directory: Path
    /// The same directory behind the mount.
    private let source: Path?
    private let memory: SharedMemory
    private var processes: [(child: Child, tasks: CInt)] = []
    private let done: Gate
    private static let size = 3
    private static let longest = 8

    /// The shared memory: a counter of those who are ready, then an errno and a tag for each operation.
    init(_ directory: Path, source: Path?, _ memory: SharedMemory) throws {
        self.directory = directory
        self.source = source
        self.memory = memory
        done = try Gate()
        for index in 0..<ConcurrentProcesses.size {
            var pipe: [CInt] = [-1, -1]
            try call("pipe") { clinux_pipe2(&pipe, O_CLOEXEC) }
            let child = try Child("process \(index)") { [done] in
                close(pipe[1])
                ConcurrentProcesses.serve(index, pipe[0], memory, done)
            }
            close(pipe[0])
            processes.append((child, pipe[1]))
        }
    }

    deinit {
        for process in processes { close(process.tasks) }
    }

    /// Runs a round in a fresh directory.
    ///
    /// - Returns: what is against the rules, or nil.
    func violation(of round: ConcurrentRun.Case, number: Int) throws -> String? {
        let place = directory / Path("r\(number)")
        try FS.mkdir(place)
        defer { FS.removeTree(place) }
        var model = ConcurrentModel()
        for operation in round.start {
            let expected = model.perform(operation, found: model.names[operation.one])
            let got = ConcurrentProcesses.perform(operation, in: place)
            if got != expected {
                return "alone, \(operation.line): expected \(expected.description), got \(got.description)"
            }
        }
        try runAtOnce(round, place)
        let outcomes = round.sequences.enumerated().map { process, list in list.indices.map { outcome(process, $0) } }
        let final = try ConcurrentProcesses.look(at: place)
        let allowed = AllowedOutcomes(sequences: round.sequences, outcomes: outcomes, final: final)
        if allowed.contain(from: model) { return try differenceBehind(place, final, number) }
        var words: [String] = []
        for (process, list) in round.sequences.enumerated() {
            words.append(
                "process \(process): "
                    + zip(list, outcomes[process]).map { "\($0.line) = \($1.description)" }.joined(separator: ", "))
        }
        let left = final.names.enumerated().map {
            "n\($0) " + ($1.map { "\($0.isDirectory ? "directory" : "file") \(String($0.tag, radix: 8))" } ?? "nothing")
        }
        return "no order of the operations gives this: " + words.joined(separator: "; ") + "; left: "
            + left.joined(separator: ", ")
    }

    /// What is left must be left behind the mount, too.
    private func differenceBehind(_ place: Path, _ told: ConcurrentModel, _ number: Int) throws -> String? {
        guard let source else { return nil }
        let kept = try ConcurrentProcesses.look(at: source / Path("r\(number)"))
        if kept == told { return nil }
        // A name may be kept for a moment only, as libfuse does with removed files that are open.
        let comparison = SourceComparison(
            mount: place, source: source / Path("r\(number)"), aspects: [.content, .mode])
        return comparison.lastingDifference(within: 1).map { "behind the mount: \($0)" }
    }

    private func runAtOnce(_ round: ConcurrentRun.Case, _ place: Path) throws {
        memory.bytes.storeBytes(of: 0, as: UInt64.self)
        for (process, list) in round.sequences.enumerated() {
            var message: [UInt8] = [
                UInt8(list.count), UInt8(round.sequences.count), UInt8(place.bytes.count >> 8),
                UInt8(place.bytes.count & 255),
            ]
            message += place.bytes
            for operation in list {
                let kind = ConcurrentOperation.Kind.allCases.firstIndex(of: operation.kind)!
                message += [UInt8(kind), UInt8(operation.one), UInt8(operation.other), UInt8(operation.tag)]
            }
            message.insert(contentsOf: [UInt8(message.count >> 8), UInt8(message.count & 255)], at: 0)
            try call("write to process") { write(processes[process].tasks, message, message.count) }
        }
        for _ in round.sequences { try done.pass() }
    }

    private func outcome(_ process: Int, _ step: Int) -> ConcurrentModel.Outcome {
        let at = ConcurrentProcesses.slot(process, step)
        return ConcurrentModel.Outcome(
            errno: memory.bytes.load(fromByteOffset: at, as: CInt.self),
            tag: Int(memory.bytes.load(fromByteOffset: at + 4, as: Int32.self)))
    }

    private static func slot(_ process: Int, _ step: Int) -> Int {
        64 + (process * longest + step) * 8
    }

    /// What a process does until its pipe ends.
    private static func serve(_ index: Int, _ tasks: CInt, _ memory: SharedMemory, _ done: Gate) {
        let ready = memory.bytes.baseAddress!
        while let head = receive(tasks, 2), let message = receive(tasks, Int(head[0]) << 8 | Int(head[1])) {
            let length = Int(message[2]) << 8 | Int(message[3])
            let place = Path(bytes: Array(message[4..<4 + length]))
            let operations = (0..<Int(message[0])).map { step in
                let at = 4 + length + step * 4
                return ConcurrentOperation(
                    ConcurrentOperation.Kind.allCases[Int(message[at])], Int(message[at + 1]), Int(message[at + 2]),
                    tag: Int(message[at + 3]))
            }
            // All start in the same moment, as far as there are processors.
            cbench_rendezvous(ready, CInt(message[1]))
            for (step, operation) in operations.enumerated() {
                let outcome = perform(operation, in: place)
                memory.bytes.storeBytes(of: outcome.errno, toByteOffset: slot(index, step), as: CInt.self)
                memory.bytes.storeBytes(of: Int32(outcome.tag), toByteOffset: slot(index, step) + 4, as: Int32.self)
            }
            done.open()
        }
    }

    private static func receive(_ descriptor: CInt, _ count: Int) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: count)
        return read(descriptor, &buffer, count) == count ? buffer : nil
    }

    /// Carries an operation out for real.
    private static func perform(_ operation: ConcurrentOperation, in place: Path) -> ConcurrentModel.Outcome {
        let one = place / Path("n\(operation.one)")
        let other = place / Path("n\(operation.other)")
        do throws(CallError) {
            switch operation.kind {
            case .create: try File(one, O_WRONLY | O_CREAT | O_EXCL, 0o700 | mode_t(operation.tag)).close()
            case .mkdir: try FS.mkdir(one, 0o700 | mode_t(operation.tag))
            case .unlink: try FS.unlink(one)
            case .rmdir: try FS.rmdir(one)
            case .rename: try FS.rename(one, other)
            case .move: try FS.rename(one, other, flags: CLINUX_RENAME_NOREPLACE)
            case .exchange: try FS.rename(one, other, flags: CLINUX_RENAME_EXCHANGE)
            case .link: try FS.link(one, other)
            case .stat: return ConcurrentModel.Outcome(tag: Int((try FS.stat(one).mode & 0o77).bits))
            }
            return ConcurrentModel.Outcome()
        } catch {
            return .fails(error.errno)
        }
    }

    /// The names as they are.
    private static func look(at place: Path) throws -> ConcurrentModel {
        var model = ConcurrentModel()
        for name in try FS.names(place) {
            guard let number = Int(String(decoding: name.bytes.dropFirst(), as: UTF8.self)),
                model.names.indices.contains(number)
            else {
                throw CheckFailure("a name that nobody made", expected: "n0 to n3", got: "\(name)", path: place)
            }
            let attributes = try FS.stat(place / name)
            model.names[number] = .init(
                tag: Int((attributes.mode & 0o77).bits), isDirectory: attributes.kind == .directory)
        }
        return model
    }
}
