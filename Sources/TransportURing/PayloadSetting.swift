/// Where requests' data shall lie between kernel and daemon, as the user said it.
package struct PayloadSetting: Hashable, Sendable {
    /// How many payload buffers there are.
    package enum Pool: Hashable, Sendable {
        /// One for each entry, and its own: all that kernels before Linux 7.3 have.
        case off
        /// The entries of a queue share as many as there is memory for; one for each entry where the kernel has no pools.
        case automatic
        /// The entries of a queue share what this many bytes hold.
        case bytes(Int)
    }

    package var pool = Pool.off
    /// Whether io_uring keeps the pools' memory mapped and in place; nil for what is best.
    package var isRegistered: Bool?
    /// Whether data of reads and writes stays in the clients' pages; nil for wherever it can.
    package var zeroCopy: Bool? = false

    package init() {}
}
