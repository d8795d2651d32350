public import BenchCore
import CBench
import CLinux
import Glibc
import LinuxSystem
public import SystemPackage

/// Cases one after the other, on this machine: until enough were played, or one has done harm. A kernel that was
/// harmed tells nothing more that could be relied on.
public final class RingFuzzSession {
    /// What is played.
    public struct Case: Sendable {
        public var name: String
        public var script: Script

        public init(name: String, script: Script) { (self.name, self.script) = (name, script) }
    }

    /// As it goes.
    public enum Event {
        case begin(Case)
        case result(TestResult)
    }

    private let folder: String
    private let evidence: Evidence
    private let canary: Canary
    private let slabs = FuseSlabs.current()
    private var coverage = Coverage()
    private var played = 0
    /// A good daemon is tried, and objects are counted, after so many.
    private static let between = 16

    public static let suite = "ring-fuzz"
    public static let target = "kernel"

    /// - Parameters:
    ///   - folder: where the mounts are made; gone at the end.
    ///   - output: for evidence and coverage.
    /// - Throws: the errno of what could not be made.
    public init(folder: String, output: FilePath) throws(Errno) {
        self.folder = folder
        evidence = Evidence(root: output)
        _ = try Errno.check { mkdir(folder, 0o700) }
        canary = try Canary()
        // What players leave behind is this process's to wait for (PR_SET_CHILD_SUBREAPER).
        _ = try Errno.check { clinux_prctl(36, 1) }
        // Each move is a line on the console, of which the kernel would leave out most. The newline is asked for.
        if let setting = try? FileDescriptor.open("/proc/sys/kernel/printk_devkmsg", .writeOnly) {
            _ = try? setting.closeAfter { try setting.writeAll("on\n".utf8) }
        }
    }

    /// Plays what `next` gives until it gives nothing more.
    ///
    /// - Returns: false if the kernel was harmed.
    public func run(next: () -> Case?, show: (Event) -> Void) throws(Errno) -> Bool {
        defer { rmdir(folder) }
        while let current = next() {
            show(.begin(current))
            let start = ContinuousClock.now
            let play = CasePlay(current.script, folder: folder)
            try play.run()
            played += 1
            var alarms = play.alarms
            if !canary.isIntact { alarms.append(Alarm(.otherMemory, "memory of another process was written to")) }
            if alarms.isEmpty && played % RingFuzzSession.between == 0 { alarms = try look() }
            let new = coverage.add(play.met)
            if !new.isEmpty { evidence.append(Coverage.file, new) }
            let seconds = start.duration(to: .now) / .seconds(1)
            show(.result(result(current, alarms, seconds)))
            if !alarms.isEmpty { return false }
        }
        return true
    }

    /// What is asked now and then.
    private func look() throws(Errno) -> [Alarm] {
        var alarms: [Alarm] = []
        let play = CasePlay(.sound, folder: folder, limits: .good, servesOn: true)
        try play.run()
        alarms += play.alarms
        if play.clientResults != [0] {
            let results = play.clientResults.map { Errno(rawValue: $0).name }.joined(separator: ", ")
            alarms.append(
                Alarm(
                    .goodDaemon,
                    "a client of a good daemon \(results.isEmpty ? "got no answer" : "ended with \(results)")"))
        }
        if let slabs, let now = FuseSlabs.current() {
            alarms += now.growth(since: slabs, over: played).map { Alarm(.slabs, $0) }
        }
        return alarms
    }

    private func result(_ current: Case, _ alarms: [Alarm], _ seconds: Double) -> TestResult {
        var paths: [String] = []
        for alarm in alarms where !alarm.evidence.isEmpty {
            paths.append(evidence.below(current.name).save(alarm.oracle.rawValue, alarm.evidence))
        }
        let message = alarms.map { "\($0.oracle.rawValue): \($0.what)" }.joined(separator: "; ")
        return TestResult(
            suite: RingFuzzSession.suite, target: RingFuzzSession.target, area: "case", name: current.name,
            verdict: alarms.isEmpty ? .passed : .failed, seconds: seconds, message: TestResult.line(message),
            evidence: paths)
    }
}

extension Script {
    /// A daemon that does everything right.
    static var sound: Script {
        var client = ClientMove()
        client.operation = .read
        return Script(
            seed: 0,
            moves: [.initialize(InitMove()), .register(RegisterMove()), .client(client)])
    }
}

/// Memory of a process that has nothing to do with the daemon, with a pattern in it.
final class Canary {
    private let words: UnsafeMutableBufferPointer<UInt64>

    /// - Throws: the errno of mmap(2).
    init() throws(Errno) {
        let count = 1 << 16
        guard let start = EntryMemory.map(count * 8).flatMap({ UnsafeMutablePointer<UInt64>(bitPattern: $0) }) else {
            throw .last
        }
        words = UnsafeMutableBufferPointer(start: start, count: count)
        for index in words.indices { words[index] = SplitMix64.mix(UInt64(index)) }
    }

    /// Looks at a word of each page, and at all words of some.
    var isIntact: Bool {
        stride(from: 0, to: words.count, by: 61).allSatisfy { words[$0] == SplitMix64.mix(UInt64($0)) }
    }
}
