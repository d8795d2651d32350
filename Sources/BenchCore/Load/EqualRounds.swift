import Glibc
import LinuxSystem
package import SystemPackage

/// Rounds of the same load, one after the other, and what the daemon holds after each: what it grows to once and keeps, a pool of
/// threads, a table, is told from what grows without end.
package final class EqualRounds {
    let daemon: MountedDaemon
    let bench: Workbench
    /// Where the clients' files go; on another filesystem.
    let scratch: FilePath
    /// Of each round.
    let operations: Int

    /// How long operations took on the mount, and on a plain directory beside its source at the same time.
    private let mount = Lock(LatencyTable())
    private let plain = Lock(LatencyTable())
    /// Of each round the longest operation, and how long its client and the daemon waited for a processor meanwhile.
    private var longest: [(operation: LoadOperation, time: Duration, unscheduled: Duration)] = []

    package init(on daemon: MountedDaemon, bench: Workbench, scratch: FilePath, operations: Int) {
        self.daemon = daemon
        self.bench = bench
        self.scratch = scratch
        self.operations = operations
    }

    package enum Outcome {
        /// In words: how much it grew, for people.
        case steady(String)
        case growing(String)
        /// Why that cannot be told.
        case unknown(String)
    }

    /// Rounds that count, and those before them, in which pools fill.
    private static let rounds = 6
    private static let warmUp = 2
    /// Of so much in a single round no more need be seen, in bytes.
    private static let tooMuch = 256 << 20

    /// Runs the rounds; and twice more if the daemon grew, which must then show each time.
    ///
    /// - Parameter tick: called several times a second.
    package func run(seed: UInt64, tick: () -> Void = {}) -> Outcome {
        guard let process = daemon.process else { return .unknown("the daemon's process is not known") }
        var outcome = series(seed, tick)
        // Buffers that are touched for the first time now and then look like a leak, for a while.
        for _ in 0..<2 {
            guard case .growing = outcome, let now = DaemonResources(process.id), now.anonymous < EqualRounds.tooMuch
            else { break }
            outcome = series(seed, tick)
        }
        return outcome
    }

    /// A line for each kind of operation.
    package var latencies: String {
        let plain = plain.withLock { $0 }
        return mount.withLock { $0.text(beside: plain) }
    }

    /// What took far longer than this machine takes for anything; nil if nothing did.
    ///
    /// The same load runs on a plain directory at the same time: what keeps the whole machine from working shows there, too. What does
    /// not is that a request takes two processes, each of which may have to wait for a processor; that time is the machine's.
    package var stall: String? {
        guard
            let (operation, time, unscheduled) = longest.max(by: { $0.time - $0.unscheduled < $1.time - $1.unscheduled }
            )
        else { return nil }
        let elsewhere = plain.withLock { $0.longest?.time ?? .zero }
        let bound = max(bench.pace(.seconds(1)), elsewhere * 5)
        if time - unscheduled <= bound { return nil }
        func text(_ time: Duration) -> String { "\((time.seconds * 1000).rounded() / 1000) s" }
        return "a single \(operation) took \(text(time)); meanwhile nothing took longer than \(text(elsewhere)) on a"
            + " plain directory"
    }

    private func series(_ seed: UInt64, _ tick: () -> Void) -> Outcome {
        var samples: [DaemonResources] = []
        // Requests that nobody waits for, such as a RELEASE, and that are never answered.
        var unanswered: [Int] = []
        let companion = try? startCompanion(seed)
        defer { if let companion { end(companion) } }
        for _ in 0..<EqualRounds.warmUp + EqualRounds.rounds {
            let before = samples.last ?? resources
            if let obstacle = work(seed, since: before, tick) { return obstacle }
            guard let sample = settled(before) else { return .unknown("the daemon is gone") }
            samples.append(sample)
            unanswered.append(daemon.connection?.waiting ?? 0)
        }
        samples.removeFirst(EqualRounds.warmUp - 1)
        unanswered.removeFirst(EqualRounds.warmUp - 1)
        let trends = [
            Trend("anonymous memory", samples.map(\.anonymous), per: operations),
            Trend("open descriptors", samples.map(\.descriptors)), Trend("threads", samples.map(\.threads)),
            Trend("unanswered requests", unanswered),
        ]
        let growing = trends.filter(\.isGrowing)
        let words = (growing.isEmpty ? trends : growing).map(\.words).joined(separator: ", ")
        let rounds = " with each of \(EqualRounds.rounds) rounds of \(operations) operations"
        return growing.isEmpty ? .steady("it grew by " + words + rounds) : .growing("it grew by " + words + rounds)
    }

    private var resources: DaemonResources? { daemon.process.flatMap { DaemonResources($0.id) } }

    /// One round; nil if it was done.
    private func work(_ seed: UInt64, since before: DaemonResources?, _ tick: () -> Void) -> Outcome? {
        let id = bench.nextNumber()
        let options = LoadClient.Options(
            kind: .mixed, root: daemon.root.string, id: id, seed: seed, status: scratch.appending("round-\(id)").string,
            ledger: scratch.appending("round-ledger-\(id)").string, cpu: nil, connection: daemon.connection?.number,
            operations: operations)
        guard let client = try? bench.spawn([bench.program] + BenchHelper.load(options).arguments) else {
            return .unknown("a client could not be started")
        }
        let deadline = Deadline(after: bench.pace(.seconds(60)))
        let waited = daemon.process.map { DaemonResources.timeWithoutProcessor(of: $0.id) } ?? .zero
        var clientWaited = Duration.zero
        while client.wait(.milliseconds(100)) == nil {
            tick()
            clientWaited = max(clientWaited, DaemonResources.timeWithoutProcessor(of: client.id))
            if let before, let now = resources, now.anonymous - before.anonymous > EqualRounds.tooMuch {
                client.kill()
                let grown = (now.anonymous - before.anonymous) >> 20
                return .growing("its anonymous memory grew by \(grown) MiB in a single round")
            }
            if deadline.hasPassed {
                client.kill()
                return .unknown("a round of the load does not come to its end")
            }
        }
        guard let status = LoadStatus.read(FilePath(options.status)), status.firstError == nil else {
            return .unknown("the load had an error of its own")
        }
        mount.withLock { $0.merge(status.latencies) }
        if let (operation, time) = status.latencies.longest {
            let now = daemon.process.map { DaemonResources.timeWithoutProcessor(of: $0.id) } ?? waited
            longest.append((operation, time, max(now - waited, .zero) + clientWaited))
        }
        return nil
    }

    /// A client like those of the rounds, on a plain directory.
    private func startCompanion(_ seed: UInt64) throws(Errno) -> (ChildProcess, status: FilePath) {
        let id = bench.nextNumber()
        let folder = try bench.makeFolder("plain-\(id)")
        let options = LoadClient.Options(
            kind: .mixed, root: folder.string, id: id, seed: seed, status: scratch.appending("companion-\(id)").string,
            ledger: scratch.appending("companion-ledger-\(id)").string, cpu: nil, connection: nil)
        return (try bench.spawn([bench.program] + BenchHelper.load(options).arguments), FilePath(options.status))
    }

    private func end(_ companion: (ChildProcess, status: FilePath)) {
        companion.0.signal(SIGTERM)
        _ = companion.0.wait(bench.pace(.seconds(5)))
        if let latencies = LoadStatus.read(companion.status)?.latencies { plain.withLock { $0.merge(latencies) } }
    }

    /// What the daemon holds once it has let go of what the round took: files are released after close(2) has returned.
    private func settled(_ before: DaemonResources?) -> DaemonResources? {
        var now = resources
        guard let before else { return now }
        _ = Deadline(after: bench.pace(.milliseconds(400))).wait(upTo: .milliseconds(20)) {
            now = resources
            guard let now else { return true }
            return now.descriptors <= before.descriptors && now.threads <= before.threads
        }
        return now
    }
}

/// How something changes from one equal round to the next: a line through what was seen, with the 95 % interval of its slope.
struct Trend {
    let name: String
    let slope: Double
    let interval: ClosedRange<Double>
    /// In nearly every round, and by more than chance explains.
    let isGrowing: Bool
    private let operations: Int?

    /// Student's t for 95 %, by degrees of freedom.
    private static let student = [0, 12.71, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306]

    /// - Parameters:
    ///   - values: at least three, the first before the first round that counts.
    ///   - operations: of a round, for what is told in bytes.
    init(_ name: String, _ values: [Int], per operations: Int? = nil) {
        self.name = name
        self.operations = operations
        let count = Double(values.count)
        let x = values.indices.map { Double($0) - (count - 1) / 2 }
        let mean = Double(values.reduce(0, +)) / count
        let sum = x.reduce(0) { $0 + $1 * $1 }
        let slope = zip(x, values).reduce(0) { $0 + $1.0 * (Double($1.1) - mean) } / sum
        let rest = zip(x, values).reduce(0) { total, point in
            let error = Double(point.1) - mean - slope * point.0
            return total + error * error
        }
        let freedom = values.count - 2
        let half = Trend.student[min(freedom, Trend.student.count - 1)] * (rest / Double(freedom) / sum).squareRoot()
        self.slope = slope
        interval = slope - half...slope + half
        // Pages are counted, not bytes, and an allocator takes them in lots.
        let least = operations.map { max(16 * Double($0), 16_384) } ?? 0.5
        let growing = zip(values, values.dropFirst()).filter { Double($0.1 - $0.0) > least / 2 }.count
        isGrowing = interval.lowerBound > least && growing >= values.count - 2
    }

    /// `206 bytes of anonymous memory an operation (198 to 213)`, `1.0 threads (0.8 to 1.2)`.
    var words: String {
        func text(_ value: Double) -> String {
            let tenths = (value * 10).rounded() / 10
            return operations == nil ? "\(tenths)" : "\(Int(value.rounded()))"
        }
        let unit = Double(operations ?? 1)
        let range = "(\(text(interval.lowerBound / unit)) to \(text(interval.upperBound / unit)))"
        return operations == nil
            ? "\(text(slope)) \(name) \(range)" : "\(text(slope / unit)) bytes of \(name) an operation \(range)"
    }
}
