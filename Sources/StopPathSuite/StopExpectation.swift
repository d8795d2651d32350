import LinuxSystem
public import SystemPackage

/// What must come of a scenario's act.
public struct Expectation: Sendable {
    public enum Exit: Sendable, CustomStringConvertible {
        /// As after an orderly stop: the target's clean statuses, or 0.
        case clean
        /// SIGKILL, by the bench.
        case killed
        /// By itself, with a status of its choice, but not by a signal.
        case anyStatus
        /// By itself and with a failure's status: it could not go on.
        case failure
        /// However it likes, within the bound.
        case any

        /// For messages: "expected was …".
        public var description: String {
            switch self {
            case .clean: "a clean exit status"
            case .killed: "SIGKILL"
            case .anyStatus: "an exit status, and no signal"
            case .failure: "an exit status other than 0"
            case .any: "any end"
            }
        }
    }

    /// The connection ends by the act; otherwise the load must go on undisturbed until the runner stops it.
    public var connectionEnds = true
    public var exit = Exit.clean
    /// Errors that clients may see after the act.
    public var allowedErrors = Expectation.deadConnection
    /// Clients that the scenario itself kills.
    public var killedClients = Set<Int>()

    /// The daemon was told to end, and must take its mount with it.
    public var unmountsItself = false

    /// ENOTCONN from a connection that is gone, ECONNABORTED from an aborted one, EIO on a file that was open.
    public static let deadConnection: Set<Errno> = [.socketNotConnected, .connectionAbort, .ioError]
}
