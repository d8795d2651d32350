import CLinux
import FUSEServer
import Glibc
import LinuxSystem
package import Logging
import SystemPackage

/// Mounts a filesystem and serves it until it is unmounted, or a signal asks for its end.
///
/// To be called before the program starts threads or tasks of its own: SIGTERM, SIGINT and SIGHUP are blocked in the calling thread,
/// which the others inherit, and taken here. The first one unmounts and lets requests in hand be finished; one more skips the waiting.
///
/// - Parameters:
///   - fileSystem: what is served.
///   - mountPoint: an existing directory.
///   - options: how it is mounted and served.
/// - Returns: how it ended.
public func serve(
    _ fileSystem: some FileSystem, at mountPoint: FilePath, options: ServeOptions = ServeOptions()
) throws(ServeError) -> StopReport {
    guard let resolved = unsafe mountPoint.withPlatformString({ unsafe realpath($0, nil) }) else {
        throw .failed("mount point \(mountPoint): \(Errno.last)")
    }
    defer { unsafe free(resolved) }
    var service = try Service(options.transport, log: options.log ?? Service.standardError)
    service.session.maxWrite = options.largestWrite
    service.session.requestTimeout = options.requestTimeout
    service.session.stopTimeout = options.stopTimeout
    service.autoUnmount = options.unmountsByItself
    let text = options.mountOptionText(program: Service.program)
    return try unsafe service.run(on: FilePath(platformString: resolved), mountOptions: text.utf8CString.map { $0 }) {
        RequestHandler(fileSystem, Notifier($0))
    } whenReady: {
        options.whenReady?()
    }
}

/// The life of a daemon around whatever handles its requests: mount, negotiation, readiness, signals, stop.
package struct Service {
    private let transport: any Transport
    /// What serves if the transport is not to be had.
    private let fallback: (any Transport)?
    package var session = Session.Configuration()
    /// Whether `fstestkit stats` is answered.
    package var tellsStatistics = false
    /// Whether the mount goes with the process, however that ends.
    package var autoUnmount = false
    package let log: Logger

    /// Finds out, as far as can be before mounting, how requests can travel.
    package init(_ choice: TransportChoice, log: Logger) throws(ServeError) {
        self.log = log
        (transport, fallback) = try choice.make(log)
    }

    /// Mounts, and returns when nothing is mounted any more.
    ///
    /// - Parameters:
    ///   - mountPoint: absolute and without symbolic links.
    ///   - mountOptions: a C string; names in it need not be UTF-8.
    ///   - prepare: makes what handles the requests of the connection.
    ///   - whenReady: called once the mount can be used.
    package func run(
        on mountPoint: FilePath, mountOptions: [CChar],
        prepare: (Connection) throws(ServeError) -> any FUSEServer.FileSystem, whenReady: () -> Void
    ) throws(ServeError) -> StopReport {
        WakeUpSignal.install()
        let signals = try blockSignals()
        defer { try? signals.close() }
        let connection: Connection
        do throws(MountError) {
            connection = try Connection(mountPoint: mountPoint, options: mountOptions)
        } catch {
            throw .failed("\(error)")
        }
        let session: Session
        let watcher: AutoUnmount?
        do throws(ServeError) {
            watcher = try watch(connection)
            session = try start(connection, try prepare(connection))
        } catch {
            try? connection.unmount(.lazy)
            throw error
        }
        let serving: any Transport
        do throws(NegotiationError) {
            serving = try session.negotiate(over: transport, fallback: fallback)
        } catch {
            session.abandon()
            throw ServeError(error, transport.name)
        }
        if tellsStatistics {
            do throws(Errno) {
                try session.serveStatistics(of: serving)
            } catch {
                log.warning("no statistics: \(error)")
            }
        }
        whenReady()
        return withExtendedLifetime(watcher) { session.run(serving, signals: signals) }
    }

    private func watch(_ connection: Connection) throws(ServeError) -> AutoUnmount? {
        guard autoUnmount else { return nil }
        do throws(Errno) {
            return try AutoUnmount(connection.mount)
        } catch {
            throw .failed("cannot start what auto_unmount needs: \(error)")
        }
    }

    private func start(
        _ connection: Connection, _ handler: any FUSEServer.FileSystem
    ) throws(ServeError) -> Session {
        do throws(Errno) {
            return try Session(connection, fileSystem: handler, configuration: session, log: log)
        } catch {
            throw .failed("cannot start a session: \(error)")
        }
    }

    /// The signals that stop a daemon come by a descriptor, to the one thread that reads it.
    private func blockSignals() throws(ServeError) -> FileDescriptor {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for signal in [SIGTERM, SIGINT, SIGHUP] { unsafe sigaddset(&set, signal) }
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
        // A client's write beyond the daemon's own limit on file sizes is the client's EFBIG, not the daemon's end.
        signal(SIGXFSZ, SIG_IGN)
        do throws(Errno) {
            return FileDescriptor(
                rawValue: try Errno.check { unsafe signalfd(-1, &set, CInt(SFD_CLOEXEC | SFD_NONBLOCK)) })
        } catch {
            throw .failed("signalfd: \(error)")
        }
    }

    /// The program's name, as it was called.
    static var program: String {
        CommandLine.arguments.first?.split(separator: "/").last.map(String.init) ?? "fuse"
    }

    /// A log on standard error, from `notice` on.
    static var standardError: Logger {
        var log = Logger(label: program) { StreamLogHandler.standardError(label: $0) }
        log.logLevel = .notice
        return log
    }
}

extension StopReport {
    /// 0 after a clean stop, 1 after a failure, 70 if something did not end in time.
    public var exitStatus: Int32 { leftovers.isEmpty ? (isClean ? 0 : 1) : 70 }

    /// Says how it ended and ends the process, with ``exitStatus``.
    package func exit(_ log: Logger) -> Never {
        if isClean {
            log.info("stopped: \(cause)")
        } else if leftovers.isEmpty {
            log.error("stopped: \(cause)")
        } else {
            log.error("stopped: \(cause); these threads did not end: \(leftovers.joined(separator: ", "))")
            // A thread that blocks would make an ordinary exit wait for it.
            _exit(exitStatus)
        }
        Glibc.exit(exitStatus)
    }
}
