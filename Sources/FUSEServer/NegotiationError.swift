import CFUSE
import FUSEProtocol
import LinuxSystem
import Logging
import SystemPackage

/// INIT could not be agreed on.
package enum NegotiationError: Error, Sendable {
    /// The kernel's FUSE protocol is older than this server can speak.
    case protocolTooOld(major: UInt32, minor: UInt32)
    /// The connection ended before INIT.
    case ended(StopCause)
    /// The transport cannot be had.
    case transport(TransportError)
}
