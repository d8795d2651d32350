import ArgumentParser
import BenchCore

/// `--daemon` and `--mount-helper`, which mean the same to every suite and to the matrix.
enum DaemonOption {
    static func command(_ text: String) throws -> String {
        if Target.words(text).isEmpty { throw ValidationError("it takes a daemon's command, with its program in it") }
        return text
    }

    static func mountHelper(_ text: String) throws -> String {
        if text.isEmpty { throw ValidationError("it takes what follows 'fuse.' in a type of mount(8)") }
        return text
    }

    /// Whether there is what serves the target.
    ///
    /// - Throws: EX_UNAVAILABLE if not.
    static func require(_ target: Target) throws {
        if let program = target.missingProgram { throw fail("there is no program '\(program)'", .unavailable) }
    }
}
