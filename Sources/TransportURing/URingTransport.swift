import FUSEDevice
package import FUSEProtocol
package import FUSEServer
package import LinuxSystem
import Synchronization
import SystemPackage

/// Requests and replies over io_uring (Linux 6.14 and later): the kernel has one queue for each possible CPU, and the
/// daemon serves them with one ring, one for each core, or any number between.
///
/// What never travels on the ring (INIT, FORGET, INTERRUPT) is served by a side reader of `/dev/fuse`.
package final class URingTransport: Transport {
    package let name: String
    package let initFlags: InitFlags = [.overIOURing]
    package var usefulFlags: InitFlags { payloads.pool == .off ? [] : [.bufferPools] }
    private let rings: Int
    private let depth: Int
    private let fallsBack: Bool
    private let payloads: PayloadSetting
    private let parts = Lock<Parts>(Parts())

    private struct Parts {
        var queues: [KernelQueue] = []
        var workers: [RingWorker] = []
        var threads: [ServerThread] = []
        var sideReader: DeviceWorkers?
        var fallback: DeviceWorkers?
        var plan: PayloadPlan?
    }

    /// - Parameters:
    ///   - name: as the user said it.
    ///   - rings: io_uring instances; nil for one for each possible CPU, which is the most there can be. One at least.
    ///   - depth: entries of each queue; one at least.
    ///   - fallsBack: serve `/dev/fuse` if the kernel refuses the entries after INIT was answered; otherwise that fails.
    ///   - payloads: where requests' data shall lie.
    package init(
        name: String, rings: Int?, depth: Int, fallsBack: Bool, payloads: PayloadSetting = PayloadSetting()
    ) {
        self.payloads = payloads
        self.name = name
        self.rings = rings ?? .max
        self.depth = max(depth, 1)
        self.fallsBack = fallsBack
    }

    package func unavailable(without missing: InitFlags) -> TransportError {
        .unavailable(
            cause: "the kernel does not offer FUSE over io_uring",
            remedy: "it takes Linux 6.14 or later with CONFIG_FUSE_IO_URING, and \(RingSetting.path) set to Y")
    }

    package func prepare(_ session: Session, limits: Limits, offered: InitFlags) throws(TransportError) {
        guard limits.entriesHoldEverything else {
            throw .unavailable(
                cause: "fs.fuse.max_pages_limit and max_write are too small for an entry to hold the largest request",
                remedy: "raise one of them")
        }
        let hook = session.configuration.hook as? any RingHook
        var parts = Parts()
        let queueCount = try URingTransport.queueCount()
        let plan = try PayloadPlan(payloads, queues: queueCount, depth: depth, limits: limits, offered: offered)
        parts.plan = plan
        do throws(Errno) {
            let ringCount = min(max(rings, 1), queueCount)
            parts.sideReader = try DeviceWorkers(session, count: 1, limits: limits)
            for id in 0..<queueCount {
                try hook?.memoryIsAllocated(queue: UInt16(id), of: queueCount)
                parts.queues.append(
                    try KernelQueue(
                        id: UInt16(id), of: queueCount, depth: depth, limits: limits, pool: plan.pool))
            }
            for ring in 0..<ringCount {
                parts.workers.append(
                    try RingWorker(
                        session, queues: parts.queues.filter { Int($0.id) % ringCount == ring }, of: parts.queues,
                        ringCount: ringCount, limits: limits, payloads: plan, cpu: ringCount == queueCount ? ring : nil,
                        hook: hook))
            }
            if fallsBack { parts.fallback = try DeviceWorkers(session, count: queueCount, limits: limits) }
        } catch {
            throw .failed(what: "allocating the queues of the ring", error)
        }
        do throws(TransportError) {
            for worker in parts.workers { parts.threads.append(try worker.start()) }
        } catch {
            for worker in parts.workers { worker.stop() }
            _ = ServerThread.join(parts.threads, until: Deadline(secondsFromNow: 1))
            throw error
        }
        let made = parts
        self.parts.withLock { $0 = made }
    }

    /// The kernel numbers its queues from 0, one for each possible CPU, whatever the numbers of the CPUs are.
    private static func queueCount() throws(TransportError) -> Int {
        do throws(Errno) {
            return max(1, try CPUSet.possible().count)
        } catch {
            throw .failed(what: "counting the possible CPUs", error)
        }
    }

    package func start() throws(TransportError) {
        let parts = parts.withLock { $0 }
        do throws(Errno) {
            try parts.sideReader?.start(name: "device")
        } catch {
            throw .failed(what: "starting the reader of /dev/fuse", error)
        }
        for worker in parts.workers { worker.proceed(true) }
        do throws(TransportError) {
            for worker in parts.workers { try worker.waitUntilRegistered() }
        } catch {
            // A refused entry makes the kernel go back to /dev/fuse for the whole connection.
            guard let fallback = parts.fallback else { throw error }
            do throws(Errno) {
                try fallback.start(name: "fallback")
            } catch {
                throw .failed(what: "starting readers of /dev/fuse", error)
            }
        }
    }

    package func drain() {
        let parts = parts.withLock { $0 }
        for worker in parts.workers { worker.drain() }
        parts.sideReader?.drain()
        parts.fallback?.drain()
    }

    package var requestsInHand: Int {
        let parts = parts.withLock { $0 }
        return parts.workers.reduce(0) { $0 + $1.requestsInHand } + (parts.sideReader?.requestsInHand ?? 0)
            + (parts.fallback?.requestsInHand ?? 0)
    }

    package func stop(until deadline: Deadline) -> [String] {
        let parts = parts.withLock { $0 }
        for worker in parts.workers { worker.stop() }
        let late = ServerThread.join(parts.threads, until: deadline).map(\.name)
        return late + (parts.sideReader?.stop(until: deadline) ?? []) + (parts.fallback?.stop(until: deadline) ?? [])
    }

    package var counters: [Counters] {
        let parts = parts.withLock { $0 }
        return parts.queues.map(\.counters) + (parts.sideReader?.counters ?? []) + (parts.fallback?.counters ?? [])
    }

    package var facts: TransportFacts {
        let parts = parts.withLock { $0 }
        // What one ring could not have is not to be counted on.
        let settled = parts.workers.map(\.settledPayloads)
        let payloads = TransportFacts.Payloads(
            bufferSize: parts.plan?.pool?.bufferSize ?? 0, buffersPerQueue: parts.plan?.pool?.buffersPerQueue ?? 0,
            isRegistered: !settled.isEmpty && settled.allSatisfy { $0.registration != .off },
            zeroCopy: !settled.isEmpty && settled.allSatisfy { $0.zeroCopy != .off },
            reason: settled.lazy.compactMap(\.reason).first)
        return TransportFacts(
            threads: parts.workers.count, settings: ["rings": parts.workers.count, "depth": depth],
            queues: parts.queues.map { queue in
                TransportFacts.Queue(
                    capacity: queue.entryCount.load(ordering: .relaxed),
                    free: queue.freeEntries.load(ordering: .relaxed),
                    buffersInUse: queue.buffersInUse.load(ordering: .relaxed))
            }, payloads: payloads)
    }
}
