import Glibc

/// The signal that ends blocking system calls: its handler does nothing, and it does not restart them.
@usableFromInline
package enum WakeUpSignal {
    /// A realtime signal, so that none of the standard ones changes its meaning.
    @inlinable package static var number: CInt { 34 + 1 }  // SIGRTMIN + 1: glibc keeps 32 and 33 for itself

    /// Installs the handler. Called once, before the first thread.
    package static func install() {
        var action = sigaction()
        unsafe action.__sigaction_handler.sa_handler = { _ in }
        unsafe sigaction(number, &action, nil)
    }
}
