/// A way for requests to travel, as `fstestkit mount --transport` names it.
public enum TransportName: String, Sendable, Hashable, Codable, CaseIterable {
    case legacy
    case uringSingle = "uring-single"
    case uringPercore = "uring-percore"

    /// Whether it needs the kernel's `enable_uring`.
    public var usesRing: Bool { self != .legacy }
}
