import FUSEProtocol
import LinuxSystem
package import SystemPackage

/// Why a transport cannot be had.
package enum TransportError: Error, Sendable {
    /// This machine or its settings do not offer it: the cause, and what the user can do about it.
    case unavailable(cause: String, remedy: String)
    /// A system call failed that should not have.
    case failed(what: String, Errno)
}

extension TransportError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unavailable(let cause, let remedy): "\(cause); \(remedy)"
        case .failed(let what, let error): "\(what): \(error)"
        }
    }
}
