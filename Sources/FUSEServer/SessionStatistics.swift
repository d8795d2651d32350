import FUSEProtocol
import Foundation

/// What a running session tells of itself: the answer of its statistics socket, as JSON.
public struct SessionStatistics: Codable, Sendable {
    public var transport: String
    public var connection: UInt32
    public var mountPoint: String
    public var processID: Int32
    public var rings: Int
    public var depth: Int
    public var threads: Int
    /// Requests taken from the kernel, and requests answered or needing no answer.
    public var fetched: UInt64
    public var committed: UInt64
    public var queues: [Queue]
    public var device: Channel
    public var opcodes: [Operation]

    /// One of the kernel's queues.
    public struct Queue: Codable, Sendable {
        public var queue: Int
        /// Its entries: those that it had at first, and those that were added for requests that wait.
        public var depth: Int
        public var free: Int
        public var fetched: UInt64
        public var committed: UInt64
        /// Requests for each time that the ring's thread was woken by any; 0 before the first.
        public var meanBatch: Double
    }

    /// What travelled on `/dev/fuse`.
    public struct Channel: Codable, Sendable {
        public var fetched: UInt64
        public var committed: UInt64
    }

    /// One opcode, with latencies in microseconds from taking a request to answering it.
    public struct Operation: Codable, Sendable {
        public var name: String
        public var ring: UInt64
        public var device: UInt64
        public var errors: UInt64
        public var p50: Double
        public var p99: Double
        public var max: Double
    }
}

extension Session {
    /// A snapshot. Reading the counters disturbs no serving thread.
    public func statistics(of transport: any Transport) -> SessionStatistics {
        let counters = counters(of: transport)
        let device = counters.filter { $0.channel == .device }
        let facts = transport.facts
        let queues = counters.filter { $0.channel == .ring }.enumerated().map { index, queue in
            SessionStatistics.Queue(
                queue: queue.queue ?? index, depth: index < facts.entries.count ? facts.entries[index] : facts.depth,
                free: index < facts.freeEntries.count ? facts.freeEntries[index] : 0, fetched: queue.fetched,
                committed: queue.committed,
                meanBatch: queue.batches == 0 ? 0 : Double(queue.fetched) / Double(queue.batches))
        }
        return SessionStatistics(
            transport: transport.name, connection: connection.number, mountPoint: connection.mountPoint.string,
            processID: getpid(), rings: facts.rings, depth: facts.depth, threads: facts.threads,
            fetched: counters.reduce(configuration.fault == .miscount ? 100 : 0) { $0 + $1.fetched },
            committed: counters.reduce(0) { $0 + $1.committed },
            queues: queues,
            device: SessionStatistics.Channel(
                fetched: device.reduce(0) { $0 + $1.fetched }, committed: device.reduce(0) { $0 + $1.committed }),
            opcodes: (0..<UInt32(Opcode.tableSize)).compactMap { operation(Opcode(rawValue: $0), counters) })
    }

    private func operation(_ opcode: Opcode, _ counters: [Counters]) -> SessionStatistics.Operation? {
        var total = OpcodeCount()
        var ring: UInt64 = 0
        for counter in counters {
            let count = counter.snapshot(of: opcode)
            if counter.channel == .ring { ring += count.count }
            total.merge(count)
        }
        guard total.count > 0 else { return nil }
        return SessionStatistics.Operation(
            name: "\(opcode)", ring: ring, device: total.count - ring, errors: total.errors,
            // A bucket's upper bound may lie above all that it counted.
            p50: Double(min(total.histogram.percentile(0.5), total.maximum)) / 1000,
            p99: Double(min(total.histogram.percentile(0.99), total.maximum)) / 1000,
            max: Double(total.maximum) / 1000)
    }
}
