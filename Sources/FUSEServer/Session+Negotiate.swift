import CFUSE
import FUSEProtocol
import LinuxSystem
import Logging
import SystemPackage

extension Session {
    /// The oldest protocol that this server speaks: INIT_EXT, SETXATTR_EXT and HANDLE_KILLPRIV_V2 came by 7.36
    /// (Linux 5.17).
    static let oldestMinor: UInt32 = 36
    /// The newest protocol whose messages this server knows (Linux 7.3).
    static let newestMinor: UInt32 = 46

    /// Always asked for, where the kernel has it: how messages are formed and how a connection ends, and that requests are
    /// handled many at once, as ``FileSystem`` demands. What else the kernel may do is the filesystem's to promise.
    private static let protocolFlags: InitFlags = [
        .initExtended, .maxPages, .bigWrites, .setxattrExtended, .abortError,
        .asyncRead, .asyncDirectIO, .parallelDirectoryOperations,
    ]

    /// Answers INIT and has `transport` serve from then on; or `fallback`, if there is one and the first is not to be had.
    ///
    /// Everything that can fail in the transport happens before the reply: once the kernel has read the ring's flag it
    /// holds back requests until the ring is ready, and a client would hang on a ring that never is.
    ///
    /// - Returns: the transport that serves.
    package func negotiate(
        over transport: any Transport, fallback: (any Transport)? = nil
    ) throws(NegotiationError) -> any Transport {
        transition(to: .negotiating, because: "mounted on \(connection.mountPoint)")
        let hook = configuration.hook
        let transport = hook?.transport(transport) ?? transport
        let fallback = fallback.map { hook?.transport($0) ?? $0 }
        let limits = Limits(maxWrite: configuration.maxWrite)
        let exchange = try receiveInit()
        let offer = exchange.offer
        guard offer.major == 7, offer.minor >= Session.oldestMinor else {
            throw .protocolTooOld(major: offer.major, minor: offer.minor)
        }
        let offered = InitFlags(rawValue: UInt64(offer.flags) | UInt64(offer.flags2) << 32)
        if configuration.requestTimeout > 0 && !offered.contains(.requestTimeout) {
            log.warning("request_timeout is ignored: it takes FUSE protocol 7.43, the kernel has 7.\(offer.minor)")
        }
        var serving = transport
        do throws(TransportError) {
            do throws(TransportError) {
                try prepare(transport, offered, limits)
            } catch {
                guard let fallback else { throw error }
                log.warning("\(transport.name) is not to be had, \(fallback.name) is used: \(error)")
                serving = fallback
                try prepare(fallback, offered, limits)
            }
            let agreed = flags(for: serving, offered)
            fileSystem.start(agreed)
            reply(exchange, agreed, limits)
            try serving.start()
        } catch {
            _ = serving.stop(until: Deadline(secondsFromNow: 1))
            throw .transport(error)
        }
        transition(to: .running, because: "INIT answered, protocol 7.\(min(offer.minor, Session.newestMinor))")
        return serving
    }

    private func flags(for transport: any Transport, _ offered: InitFlags) -> InitFlags {
        var wanted = Session.protocolFlags.union(fileSystem.wantedFlags)
        wanted.formUnion(transport.initFlags.union(transport.usefulFlags))
        if configuration.requestTimeout > 0 { wanted.insert(.requestTimeout) }
        return wanted.intersection(offered)
    }

    private func prepare(
        _ transport: any Transport, _ offered: InitFlags, _ limits: Limits
    ) throws(TransportError) {
        let missing = transport.initFlags.subtracting(offered)
        guard missing.isEmpty else { throw transport.unavailable(without: missing) }
        try transport.prepare(self, limits: limits, offered: offered)
    }

    private func receiveInit() throws(NegotiationError) -> InitExchange {
        while true {
            do throws(Errno) {
                return try InitExchange(on: connection)
            } catch .interrupted {
                if let cause = endCause { throw .ended(cause) }
            } catch {
                throw .ended(error == .noSuchDevice ? .unmounted : .failure("reading INIT: \(error)"))
            }
        }
    }

    private func reply(_ exchange: InitExchange, _ agreed: InitFlags, _ limits: Limits) {
        let offer = exchange.offer
        var answer = cfuse_init_out()
        answer.major = 7
        answer.minor = min(offer.minor, Session.newestMinor)
        answer.max_readahead = offer.max_readahead
        answer.flags = UInt32(truncatingIfNeeded: agreed.rawValue)
        answer.flags2 = UInt32(truncatingIfNeeded: agreed.rawValue >> 32)
        answer.max_background = configuration.maxBackground
        answer.congestion_threshold = configuration.maxBackground / 4 * 3
        answer.max_write = UInt32(limits.maxWrite)
        answer.max_pages = UInt16(limits.maxPages)
        answer.time_gran = 1
        answer.max_stack_depth = agreed.contains(.passthrough) ? 1 : 0
        answer.request_timeout = agreed.contains(.requestTimeout) ? configuration.requestTimeout : 0
        do throws(Errno) {
            try exchange.reply(answer)
        } catch {
            // An end of the connection is reported by whoever reads next.
            log.error("the kernel refused the reply to INIT: \(error.name)")
        }
    }
}
