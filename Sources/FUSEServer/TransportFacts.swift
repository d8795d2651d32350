/// What a transport is made of.
package struct TransportFacts: Sendable {
    /// Threads that serve requests.
    package var threads: Int
    /// What it was set up with, by name.
    package var settings: [String: Int]
    /// The queues that the kernel has for it, by their numbers; none where requests come from one place.
    package var queues: [Queue]
    /// Where requests' data lies; nil for a transport that has no choice.
    package var payloads: Payloads?

    /// Payload buffers that each queue's requests share, and whether data stays in the clients' pages.
    package struct Payloads: Codable, Equatable, Sendable {
        /// Bytes of each buffer, and how many each queue has; 0 where each entry has one of its own.
        package var bufferSize: Int
        package var buffersPerQueue: Int
        /// The buffers are registered with io_uring.
        package var isRegistered: Bool
        /// Data of reads and writes stays in the clients' pages.
        package var zeroCopy: Bool
        /// Why something of that is not so; nil if nothing is left to wish for.
        package var reason: String?

        package init(bufferSize: Int, buffersPerQueue: Int, isRegistered: Bool, zeroCopy: Bool, reason: String?) {
            self.bufferSize = bufferSize
            self.buffersPerQueue = buffersPerQueue
            self.isRegistered = isRegistered
            self.zeroCopy = zeroCopy
            self.reason = reason
        }
    }

    /// One of the kernel's queues.
    package struct Queue: Sendable {
        /// Requests that it can hold at once.
        package var capacity: Int
        /// How many more it could take now.
        package var free: Int
        /// Payload buffers that requests have now.
        package var buffersInUse: Int

        package init(capacity: Int, free: Int, buffersInUse: Int = 0) {
            self.capacity = capacity
            self.free = free
            self.buffersInUse = buffersInUse
        }
    }

    package init(
        threads: Int, settings: [String: Int] = [:], queues: [Queue] = [], payloads: Payloads? = nil
    ) {
        self.threads = threads
        self.settings = settings
        self.queues = queues
        self.payloads = payloads
    }
}
