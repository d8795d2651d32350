import FUSEServer
import LinuxSystem
import Logging
import SystemPackage
import TransportLegacy
import TransportURing

/// How requests shall travel between kernel and filesystem.
public struct TransportChoice: Hashable, Sendable {
    /// The ways that there are, by the names that they are asked for.
    public enum Name: String, CaseIterable, Sendable {
        /// A ring for each core where kernel and settings offer it, `/dev/fuse` elsewhere.
        case automatic = "auto"
        /// Reading and writing `/dev/fuse`: every kernel has it.
        case legacy
        /// One io_uring and one thread for all of the kernel's queues (Linux 6.14 and later).
        case uringSingle = "uring-single"
        /// One io_uring and one pinned thread for each core (Linux 6.14 and later).
        case uringPerCore = "uring-percore"
    }

    /// The way.
    public var name: Name
    /// Whether `/dev/fuse` serves if the ring is not to be had; always so with ``Name/automatic``.
    public var fallsBack: Bool
    /// Requests that each of the ring's queues can hold at once.
    public var depth: Int
    /// Rings: from 1 to the number of possible CPUs; nil for what the name says.
    public var rings: Int?
    /// Threads that serve `/dev/fuse`; nil for two for each CPU, but at least 10 and at most 32.
    public var threads: Int?
    /// Where requests' data lies on a ring.
    package var payloads = Payloads()

    /// Where requests' data lies between the kernel and a ring.
    package struct Payloads: Hashable, Sendable {
        /// Payload buffers: each entry's own, or some that the entries of a queue share.
        package enum Pool: Hashable, Sendable {
            case off, automatic
            /// So many bytes of them for each queue.
            case bytes(Int)
        }

        package var pool = Pool.off
        /// Register the shared ones with io_uring; nil for what is best.
        package var registersPool: Bool?
        /// Leave data in the clients' pages; nil for wherever it can be.
        package var zeroCopy: Bool? = false
    }

    /// A way for requests to travel.
    public init(
        _ name: Name = .automatic, fallsBack: Bool = false, depth: Int = 8, rings: Int? = nil, threads: Int? = nil
    ) {
        self.name = name
        self.fallsBack = fallsBack
        self.depth = depth
        self.rings = rings
        self.threads = threads
    }

    /// What serves, and what serves if that is not to be had.
    func make(_ log: Logger) throws(ServeError) -> (transport: any Transport, fallback: (any Transport)?) {
        switch name {
        case .legacy: return (legacy, nil)
        case .automatic:
            if let obstacle {
                log.info("transport legacy: \(obstacle.cause)")
                return (legacy, nil)
            }
            log.info("transport uring-percore: kernel and settings offer it")
            return (try ring(.uringPerCore, fallsBack: true), legacy)
        case .uringSingle, .uringPerCore:
            if let obstacle {
                guard fallsBack else {
                    throw .unavailable("\(name.rawValue): \(obstacle.cause); \(obstacle.remedy)")
                }
                log.warning("\(name.rawValue) is not to be had, legacy is used: \(obstacle.cause)")
                return (legacy, nil)
            }
            return (try ring(name, fallsBack: fallsBack), fallsBack ? legacy : nil)
        }
    }

    /// Why there can be no ring, as far as can be told before mounting.
    private var obstacle: (cause: String, remedy: String)? {
        switch RingSetting.current {
        case .on: nil
        case .off:
            ("FUSE over io_uring is switched off", "echo 1 > \(RingSetting.path) (as root) switches it on")
        case .absent:
            (
                "this kernel has no FUSE over io_uring",
                "it takes Linux 6.14 or later with CONFIG_FUSE_IO_URING, and the fuse module loaded"
            )
        }
    }

    private var legacy: LegacyTransport {
        LegacyTransport(threads: threads ?? min(max(10, 2 * ((try? CPUSet.online().count) ?? 1)), 32))
    }

    private func ring(_ name: Name, fallsBack: Bool) throws(ServeError) -> URingTransport {
        let possible = (try? CPUSet.possible().count) ?? 1
        if let rings, !(1...possible).contains(rings) {
            throw .usage("rings takes a number from 1 to \(possible), the machine's possible CPUs, not \(rings)")
        }
        let rings = rings ?? (name == .uringSingle ? 1 : nil)
        return URingTransport(
            name: name.rawValue, rings: rings, depth: depth, fallsBack: fallsBack, payloads: payloadSetting)
    }

    private var payloadSetting: PayloadSetting {
        var setting = PayloadSetting()
        setting.pool =
            switch payloads.pool {
            case .off: .off
            case .automatic: .automatic
            case .bytes(let count): .bytes(count)
            }
        setting.isRegistered = payloads.registersPool
        setting.zeroCopy = payloads.zeroCopy
        return setting
    }
}
