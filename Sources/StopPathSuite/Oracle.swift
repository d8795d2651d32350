import BenchCore

/// What is checked after a cycle.
public enum Oracle: String, Sendable, CaseIterable, Codable {
    case reaped = "R"
    case exit = "X"
    case mountGone = "M"
    case kernelLog = "D"
    case newMount = "N"
    case errors = "E"
    case transport = "T"
    case stored = "S"
    case leaks = "L"
    case sanitizers = "A"

    /// One line, for `--list`.
    public var summary: String {
        switch self {
        case .reaped: "every client moves while it shall and ends within the bound, none stays in D state"
        case .exit: "the daemon ends within the bound, with the expected status"
        case .mountGone: "mount and connection are gone, and nobody else's are"
        case .kernelLog: "the kernel log is clean since the cycle began, and so is its taint"
        case .newMount: "a new mount on the same mount point works"
        case .errors: "clients see only the errors that a dead connection may give"
        case .transport: "every request was ended once, and travelled as it should"
        case .stored: "what was read is what was written; what was fsynced survives a kill and a power cut"
        case .leaks: "descriptors, threads, memory, entries and kernel objects go back to where they were"
        case .sanitizers: "the sanitizers of the daemon's build report nothing"
        }
    }
}

/// What an oracle said of a cycle.
public struct OracleReport: Sendable, Hashable {
    public enum Verdict: Sendable, Hashable {
        case passed
        case failed(String)
        /// Cannot be told here; never counts as passed.
        case unavailable(String)
    }

    public let oracle: Oracle
    public let verdict: Verdict

    public var isFailure: Bool { if case .failed = verdict { true } else { false } }

    var check: TestResult.Check {
        switch verdict {
        case .passed: TestResult.Check(name: oracle.rawValue, verdict: .passed)
        case .failed(let what): TestResult.Check(name: oracle.rawValue, verdict: .failed, message: what)
        case .unavailable(let why):
            TestResult.Check(name: oracle.rawValue, verdict: .skipped, message: "unavailable: \(why)")
        }
    }
}
