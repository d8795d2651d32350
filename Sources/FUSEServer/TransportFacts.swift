/// What a transport is made of.
package struct TransportFacts: Sendable {
    /// Threads that serve requests.
    package var threads: Int
    /// What it was set up with, by name.
    package var settings: [String: Int]
    /// The queues that the kernel has for it, by their numbers; none where requests come from one place.
    package var queues: [Queue]

    /// One of the kernel's queues.
    package struct Queue: Sendable {
        /// Requests that it can hold at once.
        package var capacity: Int
        /// How many more it could take now.
        package var free: Int

        package init(capacity: Int, free: Int) {
            self.capacity = capacity
            self.free = free
        }
    }

    package init(threads: Int, settings: [String: Int] = [:], queues: [Queue] = []) {
        self.threads = threads
        self.settings = settings
        self.queues = queues
    }
}
