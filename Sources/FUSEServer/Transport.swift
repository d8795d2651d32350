package import FUSEProtocol
package import LinuxSystem
import SystemPackage

/// How requests reach a session and replies leave it.
///
/// A session drives its transport through its life: ``prepare(_:limits:offered:)`` before INIT is answered, ``start()`` after it,
/// then ``drain()`` and ``stop(until:)`` once. A transport reports what happens to it with
/// ``Session/connectionEnded(_:)``, on any thread.
package protocol Transport: AnyObject, Sendable {
    /// As the user says it: `legacy`, `uring-single` or `uring-percore`.
    var name: String { get }
    /// INIT flags that the transport needs.
    var initFlags: InitFlags { get }
    /// INIT flags that the transport makes use of where the kernel offers them.
    var usefulFlags: InitFlags { get }
    /// Why the transport is not to be had on a kernel that does not offer `missing`, some of ``initFlags``.
    func unavailable(without missing: InitFlags) -> TransportError
    /// Allocates everything that can fail. A failure here leaves the kernel waiting for INIT's reply, which is safe: the
    /// mount is taken back, or another transport tried.
    ///
    /// - Parameter offered: INIT flags that the kernel offers.
    func prepare(_ session: Session, limits: Limits, offered: InitFlags) throws(TransportError)
    /// Begins to serve, and returns once no client has to wait for the transport any more.
    func start() throws(TransportError)
    /// Leaves new requests unanswered from now on; those in hand are finished.
    func drain()
    /// Requests taken and not yet answered, but for those left unanswered by ``drain()``.
    var requestsInHand: Int { get }
    /// Ends every thread and closes everything.
    ///
    /// - Returns: the names of threads that did not end in time.
    func stop(until deadline: Deadline) -> [String]
    /// One set of counters for each serving thread or queue.
    var counters: [Counters] { get }
    /// The transport's own facts for `stats`.
    var facts: TransportFacts { get }
}

extension Transport {
    package var usefulFlags: InitFlags { [] }

    package func unavailable(without missing: InitFlags) -> TransportError {
        .unavailable(
            cause: "the kernel does not offer what \(name) needs",
            remedy: "it takes a newer kernel, or another transport")
    }
}
