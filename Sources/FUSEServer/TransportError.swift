import FUSEProtocol
import LinuxSystem
public import SystemPackage

/// Why a transport cannot be had.
public enum TransportError: Error, Sendable {
    /// This machine or its settings do not offer it: the cause, and what the user can do about it.
    case unavailable(cause: String, remedy: String)
    /// A system call failed that should not have.
    case failed(what: String, Errno)
}

extension TransportError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unavailable(let cause, let remedy): "\(cause); \(remedy)"
        case .failed(let what, let error): "\(what): \(error)"
        }
    }
}
