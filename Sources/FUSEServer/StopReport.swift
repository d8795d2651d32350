import CLinux
import Glibc
import LinuxSystem
import Logging
import SystemPackage

/// How a session ended.
public struct StopReport: Sendable {
    public let cause: StopCause
    /// What did not end in time; empty after a clean stop.
    public let leftovers: [String]

    /// A clean stop, for whatever reason but a failure.
    public var isClean: Bool {
        if case .failure = cause { return false }
        return leftovers.isEmpty
    }
}
