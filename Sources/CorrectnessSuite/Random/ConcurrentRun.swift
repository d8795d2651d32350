import BenchCore
import CBench
import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// What concurrent sequences are run on, and for how long.
struct ConcurrentTask: Codable, Sendable {
    /// A directory on what is tested.
    var directory: String
    /// The same directory behind the mount; nil if that is not known.
    var source: String?
    var seed: UInt64
    var seconds: Double
    /// A script that is run instead, many times.
    var script: String?
    /// Operations that the filesystem does not have at all are left out.
    var leavesOutMissing = false
}

/// Lets processes run short sequences on the same names at the same time, and checks what they saw against what some order of
/// their operations would give.
final class ConcurrentRun {
    /// Processes, and operations of each, in a round.
    private static let processes = 3
    private static let length = 3
    /// Rounds in which a smaller case must show itself again.
    private static let attempts = 400

    private let task: ConcurrentTask
    private let directory: Path
    private let source: Path?
    private let memory: SharedMemory
    private var rounds = 0

    init(_ task: ConcurrentTask) throws {
        self.task = task
        directory = Path(task.directory) / "concurrent"
        source = task.source.map { Path($0) / "concurrent" }
        memory = try SharedMemory(4096)
    }

    /// A round: what is there at the start, and what each process does.
    struct Case: Equatable {
        var start: [ConcurrentOperation]
        var sequences: [[ConcurrentOperation]]

        /// As a script.
        var lines: [String] {
            start.map { "start \($0.line)" }
                + sequences.enumerated().flatMap { process, list in list.map { "process \(process) \($0.line)" } }
        }

        var count: Int { start.count + sequences.map(\.count).reduce(0, +) }
    }

    static let header = "# fstestkit concurrent sequences"

    func run() throws -> TaskEnd {
        try FS.mkdir(directory)
        // The modes carry tags: all their bits are needed.
        let saved = umask(0)
        defer {
            umask(saved)
            FS.removeTree(directory)
        }
        if let script = task.script { return try replay(ConcurrentRun.parse(script)) }
        let clients = try ConcurrentProcesses(directory, source: source, memory)
        var random = SplitMix64(seed: task.seed)
        let kinds = kinds()
        let start = cbench_now()
        let end = start + UInt64(task.seconds * 1e9)
        var operations = 0
        repeat {
            let round = ConcurrentRun.draw(&random, kinds)
            operations += round.count
            if let violation = try clients.violation(of: round, number: rounds) {
                return try explain(round, violation, clients)
            }
            rounds += 1
            if rounds % 64 == 0 { Worker.report(.progress(operations)) }
        } while cbench_now() < end
        let rate = Double(operations) / (Double(cbench_now() - start) / 1e9)
        return TaskEnd(
            verdict: .passed, message: "\(operations) operations in \(rounds) rounds, \(Int(rate)) operations/s",
            seconds: 0,
            operations: operations)
    }

    private func kinds() -> [ConcurrentOperation.Kind] {
        var kinds = ConcurrentOperation.Kind.allCases
        guard task.leavesOutMissing else { return kinds }
        if Feature.noReplace.missing(directory) != nil { kinds.removeAll { $0 == .move } }
        if Feature.exchange.missing(directory) != nil { kinds.removeAll { $0 == .exchange } }
        return kinds
    }

    private static func draw(_ random: inout SplitMix64, _ kinds: [ConcurrentOperation.Kind]) -> Case {
        var tag = 0
        func operation(_ kinds: [ConcurrentOperation.Kind]) -> ConcurrentOperation {
            tag += 1
            let kind = kinds[random.below(kinds.count)]
            let makes = kind == .create || kind == .mkdir
            let two = [.rename, .move, .exchange, .link].contains(kind)
            return ConcurrentOperation(
                kind, random.below(ConcurrentOperation.names), two ? random.below(ConcurrentOperation.names) : 0,
                tag: makes ? tag : 0)
        }
        let start = (0..<random.below(4)).map { _ in operation([.create, .create, .mkdir]) }
        let sequences = (0..<2 + random.below(processes - 1)).map { _ in
            (0..<1 + random.below(length)).map { _ in operation(kinds) }
        }
        return Case(start: start, sequences: sequences)
    }

    /// Takes away what is not needed to see the violation again.
    private func explain(_ round: Case, _ violation: String, _ clients: ConcurrentProcesses) throws -> TaskEnd {
        func shows(_ candidate: Case) throws -> String? {
            for _ in 0..<ConcurrentRun.attempts {
                rounds += 1
                if rounds % 64 == 0 { Worker.report(.progress(rounds)) }
                if let found = try clients.violation(of: candidate, number: rounds) { return found }
            }
            return nil
        }
        var current = round
        var message = violation
        var changed = true
        while changed {
            changed = false
            for candidate in ConcurrentRun.smaller(current) {
                guard let found = try shows(candidate) else { continue }
                (current, message, changed) = (candidate, found, true)
                break
            }
        }
        let text =
            ([ConcurrentRun.header, "# seed \(task.seed)", "# \(message)"] + current.lines).joined(separator: "\n")
            + "\n"
        return TaskEnd(
            verdict: .failed, message: "\(message) (seed \(task.seed))", seconds: 0, operations: rounds, evidence: text)
    }

    /// All cases with one operation less.
    private static func smaller(_ round: Case) -> [Case] {
        var result: [Case] = []
        for process in round.sequences.indices {
            for index in round.sequences[process].indices {
                var copy = round
                copy.sequences[process].remove(at: index)
                result.append(copy)
            }
        }
        for index in round.start.indices {
            var copy = round
            copy.start.remove(at: index)
            result.append(copy)
        }
        return result
    }

    /// Reads a script back.
    ///
    /// - Throws: `CheckFailure` with the number of the line that is none.
    static func parse(_ text: String) throws(CheckFailure) -> Case {
        var round = Case(start: [], sequences: [])
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line.isEmpty || line.hasPrefix("#") { continue }
            let words = line.split(separator: " ", maxSplits: line.hasPrefix("start") ? 1 : 2)
            guard let operation = words.last.flatMap({ ConcurrentOperation(line: $0) }) else {
                throw CheckFailure("line \(number + 1) is no operation: \(line)")
            }
            if words[0] == "start" {
                round.start.append(operation)
            } else if words[0] == "process", let process = Int(words[1]), process < processes {
                while round.sequences.count <= process { round.sequences.append([]) }
                round.sequences[process].append(operation)
            } else {
                throw CheckFailure("line \(number + 1) is no operation: \(line)")
            }
        }
        return round
    }

    private func replay(_ round: Case) throws -> TaskEnd {
        let clients = try ConcurrentProcesses(directory, source: source, memory)
        let times = 20_000
        for number in 0..<times {
            if number % 64 == 0 { Worker.report(.progress(number)) }
            if let found = try clients.violation(of: round, number: number) {
                return TaskEnd(verdict: .failed, message: "in run \(number + 1): \(found)", seconds: 0)
            }
        }
        return TaskEnd(verdict: .passed, message: "\(times) runs, none against the rules", seconds: 0)
    }
}
