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

    /// What the letter stands for.
    public var title: String {
        switch self {
        case .reaped: "clients end"
        case .exit: "exit status"
        case .mountGone: "mount gone"
        case .kernelLog: "kernel log"
        case .newMount: "new mount"
        case .errors: "errors seen"
        case .transport: "requests"
        case .stored: "stored data"
        case .leaks: "leaks"
        case .sanitizers: "sanitizers"
        }
    }

    /// The letter and what it stands for: `X exit status`.
    public var label: String { "\(rawValue) \(title)" }

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

    /// All that a failure has to say.
    var message: String { if case .failed(let what) = verdict { what } else { "" } }

    /// Its line in a report.
    var check: TestResult.Check {
        var check = TestResult.Check(name: oracle.rawValue, title: oracle.title, verdict: .passed)
        switch verdict {
        case .passed: break
        case .failed(let what): (check.verdict, check.message) = (.failed, TestResult.line(what))
        case .unavailable(let why): (check.verdict, check.message) = (.skipped, "unavailable: \(why)")
        }
        return check
    }
}
