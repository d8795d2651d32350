import FUSEServer
import SystemPackage

/// Why nothing is served. Nothing is left mounted.
public enum ServeError: Error, Sendable {
    /// What was asked for makes no sense.
    case usage(String)
    /// This machine, its kernel or its settings do not offer it: what, and what one can do about it.
    case unavailable(String)
    /// It should have worked: what did not, and why.
    case failed(String)

    /// As a program ends that could not do what it was asked to (`<sysexits.h>`): 64, 69 or 1.
    public var exitStatus: Int32 {
        switch self {
        case .usage: 64
        case .unavailable: 69
        case .failed: 1
        }
    }

    init(_ error: NegotiationError, _ transport: String) {
        switch error {
        case .protocolTooOld(let major, let minor):
            self = .unavailable("the kernel speaks FUSE protocol \(major).\(minor); 7.36 (Linux 5.17) is needed")
        case .ended(let cause): self = .failed("the mount ended before it was usable: \(cause)")
        case .transport(.unavailable(let cause, let remedy)): self = .unavailable("\(cause); \(remedy)")
        case .transport(let error): self = .failed("\(transport): \(error)")
        }
    }
}

extension ServeError: CustomStringConvertible {
    /// A sentence for people, without a full stop.
    public var description: String {
        switch self {
        case .usage(let text), .unavailable(let text), .failed(let text): text
        }
    }
}
