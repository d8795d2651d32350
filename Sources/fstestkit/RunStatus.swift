import ArgumentParser

/// The exit status of every command that runs or shows suites. One rule, from the worst to the best:
///
/// | status | when |
/// |---|---|
/// | 128 + N | signal N ended it |
/// | 64 | the command line or the file of settings is wrong; nothing was run |
/// | 70 | something was left that could not be taken down, or did not end in time, or results could not be written |
/// | 1 | a test failed, hung or crashed, or has no result |
/// | 69 | something that was asked for by name is not to be had here, or nothing was executed |
/// | 0 | everything that was executed passed |
struct RunStatus {
    var hasFailures = false
    /// Left behind, late, or lost.
    var isStuck = false
    /// Not to be had, though it was asked for by name; or there was nothing to execute.
    var isMissing = false

    var code: ExitCode {
        if isStuck { return .software }
        if hasFailures { return .failure }
        return isMissing ? .unavailable : .success
    }

    /// Ends the command with it.
    func end() throws {
        if code != .success { throw code }
    }
}
