public import SystemPackage
public import BenchCore

/// The suite on one target after the other.
public struct HostileSourceSession {
    let targets: [Target]
    /// Where the source of a target of kind `directory` is made.
    let directory: FilePath?
    let settings: HostileSourceSettings
    let bench: Workbench

    /// What a session tells as it goes.
    public enum Event {
        case begin(String)
        /// Time has passed.
        case tick
        case result(TestResult)
    }

    public init(targets: [Target], directory: FilePath? = nil, settings: HostileSourceSettings, bench: Workbench) {
        self.targets = targets
        self.directory = directory
        self.settings = settings
        self.bench = bench
    }

    /// Runs it all; what it made is in the bench's ledger.
    ///
    /// - Throws: ``HostileSourceUnavailable``.
    public func run(_ report: (Event) -> Void) throws -> [TestResult] {
        var all: [TestResult] = []
        for target in targets {
            report(.begin(target.label))
            let folder = target.kind == .directory ? directory : nil
            let start = ContinuousClock.now
            let outcome = try rounds(of: target, in: folder) { report(.tick) }
            let results = outcome.results(
                of: target, seconds: (ContinuousClock.now - start).seconds,
                into: bench.evidence.below("hostile-source/\(target.label)"))
            for result in results { report(.result(result)) }
            all += results
        }
        return all
    }

    /// So often a daemon is started anew that died or served nobody any more.
    private static let mostRounds = 5

    /// Works for the whole time, whatever the daemon does: how soon it hangs is chance, and what else it does wrong must not
    /// depend on that. A daemon that hangs once is spared FIFOs from then on, which it may have waited for.
    private func rounds(of target: Target, in folder: FilePath?, tick: () -> Void) throws -> HostileSourceOutcome {
        var all: HostileSourceOutcome?
        for round in 0..<HostileSourceSession.mostRounds {
            var settings = settings
            settings.seed &+= UInt64(round)
            let left = settings.duration - (all?.worked ?? .zero)
            let run = try HostileSourceRun(
                target, in: folder, settings, for: max(left, .seconds(1)), withFIFOs: all?.hangs != true, bench: bench)
            let outcome = try run.run(tick: tick)
            if all == nil { all = outcome } else { all?.merge(outcome) }
            if !outcome.isBroken || (all?.worked ?? .zero) >= settings.duration { break }
        }
        return all ?? HostileSourceOutcome()
    }

    /// Results for each target.
    public static let resultsPerTarget = HostileSourceOracle.allCases.count
}
