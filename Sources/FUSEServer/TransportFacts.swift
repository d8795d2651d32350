/// What a transport is made of.
public struct TransportFacts: Sendable {
    /// Threads that serve requests.
    public var threads: Int
    /// What it was set up with, by name.
    public var settings: [String: Int]
    /// The queues that the kernel has for it, by their numbers; none where requests come from one place.
    public var queues: [Queue]

    /// One of the kernel's queues.
    public struct Queue: Sendable {
        /// Requests that it can hold at once.
        public var capacity: Int
        /// How many more it could take now.
        public var free: Int

        public init(capacity: Int, free: Int) {
            self.capacity = capacity
            self.free = free
        }
    }

    public init(threads: Int, settings: [String: Int] = [:], queues: [Queue] = []) {
        self.threads = threads
        self.settings = settings
        self.queues = queues
    }
}
