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
            let results = try HostileSourceRun(target, in: folder, settings, bench: bench).run { report(.tick) }
            for result in results { report(.result(result)) }
            all += results
        }
        return all
    }

    /// Results for each target.
    public static let resultsPerTarget = HostileSourceOracle.allCases.count
}
