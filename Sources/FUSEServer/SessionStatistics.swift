import FUSEProtocol
import Foundation
import SystemPackage

/// What a running session tells of itself: the answer of its statistics socket, as JSON.
package struct SessionStatistics: Codable, Sendable {
    package var transport: String
    package var connection: UInt32
    package var mountPoint: String
    package var processID: Int32
    package var threads: Int
    /// What the transport was set up with: `rings` and `depth`.
    package var settings: [String: Int]
    /// Requests taken from the kernel, and requests answered or needing no answer.
    package var fetched: UInt64
    package var committed: UInt64
    package var queues: [Queue]
    /// Where requests' data lay; nil for a transport that has no choice.
    package var data: DataPath?
    package var device: Channel
    package var opcodes: [Operation]

    /// One of the kernel's queues.
    package struct Queue: Codable, Sendable {
        package var queue: Int
        /// Requests that it can hold at once, and how many more it could take now.
        package var capacity: Int
        package var free: Int
        /// Payload buffers that requests have now, of those that the queue's requests share.
        package var buffersInUse: Int
        package var fetched: UInt64
        package var committed: UInt64
        /// Requests for each time that its thread was woken by any; 0 before the first.
        package var meanBatch: Double
    }

    /// How the data of READs and WRITEs travelled over the ring.
    package struct DataPath: Codable, Sendable {
        package var payloads: TransportFacts.Payloads
        /// Requests that the daemon has not taken yet: they wait for an entry, or for a payload buffer.
        package var waiting: Int
        /// Bytes that went through payload buffers.
        package var copiedBytes: UInt64
        /// Bytes that went straight between clients' pages and files, and the requests that they were.
        package var zeroCopiedBytes: UInt64
        package var zeroCopiedRequests: UInt64
        /// Requests whose data could not go straight, and went through the daemon's memory to or from the clients' pages.
        package var rounds: UInt64
    }

    /// What travelled on `/dev/fuse`.
    package struct Channel: Codable, Sendable {
        package var fetched: UInt64
        package var committed: UInt64
    }

    /// One opcode, with latencies in microseconds from taking a request to answering it.
    package struct Operation: Codable, Sendable {
        package var name: String
        package var queued: UInt64
        package var device: UInt64
        package var errors: UInt64
        package var p50: Double
        package var p99: Double
        package var max: Double
    }
}

extension Session {
    /// A snapshot. Reading the counters disturbs no serving thread.
    package func statistics(of transport: any Transport) -> SessionStatistics {
        let counters = counters(of: transport)
        let device = counters.filter { $0.channel == .device }
        let facts = transport.facts
        let queues = counters.filter { $0.channel == .queue }.enumerated().map { index, queue in
            let number = queue.queue ?? index
            let now = number < facts.queues.count ? facts.queues[number] : .init(capacity: 0, free: 0)
            return SessionStatistics.Queue(
                queue: number, capacity: now.capacity, free: now.free, buffersInUse: now.buffersInUse,
                fetched: queue.fetched, committed: queue.committed,
                meanBatch: queue.batches == 0 ? 0 : Double(queue.fetched) / Double(queue.batches))
        }
        return SessionStatistics(
            transport: transport.name, connection: connection.number, mountPoint: connection.mountPoint.string,
            processID: getpid(), threads: facts.threads, settings: facts.settings,
            fetched: counters.reduce(0) { $0 + $1.fetched },
            committed: counters.reduce(0) { $0 + $1.committed },
            queues: queues, data: facts.payloads.map { dataPath($0, counters, queues) },
            device: SessionStatistics.Channel(
                fetched: device.reduce(0) { $0 + $1.fetched }, committed: device.reduce(0) { $0 + $1.committed }),
            opcodes: (0..<UInt32(Opcode.tableSize)).compactMap { operation(Opcode(rawValue: $0), counters) })
    }

    private func dataPath(
        _ payloads: TransportFacts.Payloads, _ counters: [Counters], _ queues: [SessionStatistics.Queue]
    ) -> SessionStatistics.DataPath {
        let inHand = queues.reduce(0) { $0 + $1.capacity - $1.free }
        return SessionStatistics.DataPath(
            payloads: payloads, waiting: max(0, connection.waiting - inHand),
            copiedBytes: counters.reduce(0) { $0 + $1.copiedBytes },
            zeroCopiedBytes: counters.reduce(0) { $0 + $1.zeroCopiedBytes },
            zeroCopiedRequests: counters.reduce(0) { $0 + $1.zeroCopiedRequests },
            rounds: counters.reduce(0) { $0 + $1.rounds })
    }

    private func operation(_ opcode: Opcode, _ counters: [Counters]) -> SessionStatistics.Operation? {
        var total = OpcodeCount()
        var queued: UInt64 = 0
        for counter in counters {
            let count = counter.snapshot(of: opcode)
            if counter.channel == .queue { queued += count.count }
            total.merge(count)
        }
        guard total.count > 0 else { return nil }
        return SessionStatistics.Operation(
            name: "\(opcode)", queued: queued, device: total.count - queued, errors: total.errors,
            // A bucket's upper bound may lie above all that it counted.
            p50: Double(min(total.histogram.percentile(0.5), total.maximum)) / 1000,
            p99: Double(min(total.histogram.percentile(0.99), total.maximum)) / 1000,
            max: Double(total.maximum) / 1000)
    }
}
