import SystemPackage

/// What another thread has answered to the request of an entry.
struct DeferredAnswer: Sendable {
    let entry: UInt32
    /// Nil for success.
    let error: Errno?
    let body: [UInt8]
}
