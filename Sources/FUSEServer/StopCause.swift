/// Why a session stops.
public enum StopCause: Sendable, Equatable {
    /// The daemon was asked to, by this signal.
    case signal(CInt)
    /// The kernel let go of the connection: unmounted and no longer in use.
    case unmounted
    /// The connection was aborted: through fusectl, by `umount -f` or by a request's timeout.
    case aborted
    /// Something that the session cannot go on without has failed.
    case failure(String)
}

extension StopCause: CustomStringConvertible {
    public var description: String {
        switch self {
        case .signal(let number): "signal \(number)"
        case .unmounted: "unmounted"
        case .aborted: "connection aborted"
        case .failure(let what): what
        }
    }
}
