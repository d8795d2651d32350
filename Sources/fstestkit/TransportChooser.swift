import ArgumentParser
import FUSEServer
import Foundation
import LinuxSystem
import Logging
import TransportLegacy
import TransportURing

/// Turns the transport's name into a transport, or into the reason why it is not to be had.
struct TransportChooser {
    let options: MountOptions
    let log: Logger

    struct Choice {
        let transport: any Transport
        /// What serves if the first is not to be had.
        let fallback: (any Transport)?
    }

    func choose() throws -> Choice {
        switch options.transport {
        case .legacy: return Choice(transport: legacy, fallback: nil)
        case .auto:
            if let obstacle {
                log.info("transport legacy: \(obstacle.cause)")
                return Choice(transport: legacy, fallback: nil)
            }
            log.info("transport uring-percore: kernel and settings offer it")
            return Choice(transport: try ring("uring-percore", fallsBack: true), fallback: legacy)
        case .uringSingle, .uringPerCore:
            if let obstacle {
                guard options.fallsBackToLegacy else {
                    throw fail("\(options.transport.rawValue): \(obstacle.cause); \(obstacle.remedy)", .unavailable)
                }
                log.warning("\(options.transport.rawValue) is not to be had, legacy is used: \(obstacle.cause)")
                return Choice(transport: legacy, fallback: nil)
            }
            let transport = try ring(options.transport.rawValue, fallsBack: options.fallsBackToLegacy)
            return Choice(transport: transport, fallback: options.fallsBackToLegacy ? legacy : nil)
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
        LegacyTransport(threads: options.threads ?? min(max(10, 2 * ProcessInfo.processInfo.activeProcessorCount), 32))
    }

    private func ring(_ name: String, fallsBack: Bool) throws -> URingTransport {
        let possible = (try? CPUSet.possible().count) ?? 1
        if let rings = options.rings, rings > possible {
            throw fail(
                "rings takes a number from 1 to \(possible), the machine's possible CPUs, not \(rings)",
                .validationFailure)
        }
        let rings = options.rings ?? (name == "uring-single" ? 1 : nil)
        return URingTransport(name: name, rings: rings, depth: options.depth, fallsBack: fallsBack)
    }
}
