import BenchCore
import CBench
import Glibc
import LinuxSystem

/// What a differential run compares, and for how long.
struct DifferentialTask: Codable, Sendable {
    var name = "differential-sequences"
    /// A directory on what is tested.
    var subject: String
    /// The same directory behind the mount, and what is the same there; nil if that is not known.
    var source: String?
    var mirrored: MirroredAspects = []
    /// A directory on what it is compared with.
    var reference: String
    var seed: UInt64
    /// Ends after so many seconds.
    var seconds: Double
    /// A script that is run instead, once.
    var script: String?
    /// Whether the two directories are to be made first.
    var makesDirectories = false
    /// Operations that the subject does not have at all are left out.
    var leavesOutMissing = false
    /// A truncation to the size that a file has is left out: a kernel that writes back stamps files itself, but not then
    /// (`fuse_do_setattr()` in fs/fuse/dir.c).
    var leavesOutIdleTruncation = false
}

/// Runs random sequences on two directories in step and compares every result, and the trees at the end.
final class DifferentialRun {
    /// Operations in a sequence: few enough to shrink quickly, enough to make a history.
    static let length = 300

    private let task: DifferentialTask
    private var operations = 0
    private var exercised: [Exercise: Int] = [:]
    private var directories = 0
    private var missing: Set<Feature> = []

    init(_ task: DifferentialTask) {
        self.task = task
    }

    /// Where the two sides went apart.
    struct Difference {
        /// The operation's number; the sequence's length for the trees at the end.
        var step: Int
        var what: String
        var expected: String
        var got: String

        var description: String { "\(what): expected \(expected), got \(got)" }
    }

    func run() throws -> TaskEnd {
        if task.makesDirectories {
            for directory in [task.subject, task.reference] { try FS.mkdir(Path(directory), 0o755) }
        }
        if let script = task.script { return try replay(OperationScript.parse(script)) }
        if task.leavesOutMissing { missing = try findMissing() }
        let end = cbench_now() + UInt64(task.seconds * 1e9)
        let start = cbench_now()
        var sequence: UInt64 = 0
        repeat {
            let seed = task.seed &+ sequence &* 0xD1B5_4A32_D192_ED03
            let list = DifferentialRun.sequence(seed).filter { $0.feature.map { !missing.contains($0) } ?? true }
            if let difference = try execute(list) {
                return try explain(list, difference, seed: seed)
            }
            sequence += 1
            if sequence % 16 == 0 { Worker.report(.progress(operations)) }
        } while cbench_now() < end
        let rate = Double(operations) / (Double(cbench_now() - start) / 1e9)
        return TaskEnd(
            verdict: .passed, message: "\(operations) operations in \(sequence) sequences, \(Int(rate)) operations/s",
            seconds: 0,
            operations: operations, exercised: exercised)
    }

    private func findMissing() throws -> Set<Feature> {
        let features: [Feature] = [
            .noReplace, .exchange, .allocation, .punchHole, .zeroRange, .userAttributes, .copyRange, .recordLocks,
            .flockLocks,
        ]
        return Set(features.filter { $0.missing(Path(task.subject)) != nil })
    }

    /// The operations of a seed.
    static func sequence(_ seed: UInt64) -> [Operation] {
        var random = SplitMix64(seed: seed)
        let asRoot = getuid() == 0
        return (0..<length).map { _ in Operation.random(&random, asRoot: asRoot) }
    }

    /// Runs a sequence in fresh directories.
    ///
    /// - Returns: the first difference, or nil.
    func execute(_ list: [Operation]) throws -> Difference? {
        directories += 1
        let subject = try OperationSide(Path(task.subject) / Path("s\(directories)"))
        let reference = try OperationSide(Path(task.reference) / Path("s\(directories)"))
        for side in [subject, reference] { side.leavesOutIdleTruncation = task.leavesOutIdleTruncation }
        let root = Operation(kind: .user, first: Int64(getuid()))
        defer {
            _ = subject.perform(root)
            subject.tearDown()
            reference.tearDown()
        }
        for (step, operation) in list.enumerated() {
            operations += 1
            let expected = reference.perform(operation)
            if expected.errno == 0 || operation.exercise == .lock { exercised[operation.exercise, default: 0] += 1 }
            let got = subject.perform(operation)
            if got != expected {
                let texts = got.difference(from: expected)
                return Difference(
                    step: step, what: OperationScript.line(operation), expected: texts.expected, got: texts.got)
            }
        }
        _ = subject.perform(root)
        let expected = reference.tree()
        let got = subject.tree()
        if got == expected { return differenceBehind(list) }
        let place =
            zip(expected, got).first { $0 != $1 } ?? (
                expected.dropFirst(got.count).first ?? "nothing", got.dropFirst(expected.count).first ?? "nothing"
            )
        return Difference(step: list.count, what: "the tree at the end", expected: place.0, got: place.1)
    }

    /// What the mount says of the tree at the end, and what is behind it.
    private func differenceBehind(_ list: [Operation]) -> Difference? {
        guard let source = task.source, task.mirrored.contains(.content) else { return nil }
        let name = Path("s\(directories)")
        let comparison = SourceComparison(
            mount: Path(task.subject) / name, source: Path(source) / name, aspects: task.mirrored)
        guard let found = comparison.lastingDifference(within: 1) else { return nil }
        return Difference(step: list.count, what: "behind the mount", expected: "what the mount says", got: found)
    }

    /// Shrinks a sequence that shows a difference, and reports it.
    private func explain(_ list: [Operation], _ difference: Difference, seed: UInt64) throws -> TaskEnd {
        let prefix = Array(list.prefix(difference.step + 1))
        var last = difference
        let shrunk = try Shrinker.shrink(prefix) { candidate in
            Worker.report(.progress(operations))
            guard let found = try execute(candidate) else { return false }
            last = found
            return true
        }
        var comment = ["seed \(seed)", last.description]
        if shrunk.isReproducible {
            _ = try execute(shrunk.operations).map { last = $0 }
            comment[1] = last.description
        } else {
            comment.append("did not happen again: the whole sequence")
        }
        let count = shrunk.operations.count
        let message =
            "\(last.description) (seed \(seed), "
            + (shrunk.isReproducible ? "\(count) operations show it)" : "not reproducible)")
        return TaskEnd(
            verdict: .failed, message: message, seconds: 0, operations: operations, exercised: exercised,
            evidence: OperationScript.text(shrunk.operations, comment: comment))
    }

    private func replay(_ list: [Operation]) throws -> TaskEnd {
        if let difference = try execute(list) {
            return TaskEnd(verdict: .failed, message: difference.description, seconds: 0, operations: list.count)
        }
        return TaskEnd(
            verdict: .passed, message: "\(list.count) operations, no difference", seconds: 0, operations: list.count)
    }
}
