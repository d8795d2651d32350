import ArgumentParser
import CLinux
import FUSEServer
import Faults
import Foundation
import LinuxSystem
import Logging
import LoopbackFS
import SystemPackage
import TransportLegacy
import TransportURing

/// The daemon: mounts, serves until the connection ends or a signal comes, and says how it ended.
struct Daemon {
    let options: MountOptions
    let place: Place
    let debug: Bool
    /// Where the caller waits for the mount to be usable.
    let readyDescriptor: Int32?
    /// What the daemon shall do wrong.
    let fault: Fault?

    func run() throws {
        // Started as /proc/self/exe, it would be called "exe".
        ServerThread.setName("fstestkit")
        var log = Logger(label: "fstestkit") { StreamLogHandler.standardError(label: $0) }
        log.logLevel = debug ? .debug : .info
        let choice = try TransportChooser(options: options, log: log).choose()
        if let file = options.logFile { try redirect(to: file) }

        umask(0)
        WakeUpSignal.install()
        let signals = try blockSignals()
        let fileSystem = try makeFileSystem(log)
        let connection: Connection
        do throws(MountError) {
            connection = try Connection(mountPoint: place.mountPoint, options: SystemText.cString(mountOptions()))
        } catch {
            throw fail("\(error)")
        }
        _ = chdir("/")
        try adjust(connection)
        fileSystem.setBackingRegistration(
            register: { descriptor throws(Errno) in try connection.registerBacking(descriptor) },
            unregister: { connection.unregisterBacking($0) })
        fileSystem.setConnection(connection.number)
        fileSystem.setInvalidation { connection.invalidateAttributes(of: $0) }
        if let fault { log.warning("this daemon is wrong on purpose: \(fault.summary)") }
        let session: Session
        do throws(Errno) {
            session = try Session(connection, fileSystem: fileSystem, configuration: sessionConfiguration(), log: log)
        } catch {
            try? connection.unmount(.lazy)
            throw fail("cannot start a session: \(error)")
        }
        let transport = try negotiate(session, choice)
        do throws(Errno) {
            try session.serveStatistics(of: transport)
        } catch {
            log.warning("no statistics: \(error)")
        }
        ready()
        let report = session.run(transport, signals: signals)
        try finish(report, log)
    }

    private func negotiate(_ session: Session, _ choice: TransportChooser.Choice) throws -> any Transport {
        do throws(NegotiationError) {
            return try session.negotiate(over: choice.transport, fallback: choice.fallback)
        } catch {
            session.abandon()
            switch error {
            case .protocolTooOld(let major, let minor):
                throw fail(
                    "the kernel speaks FUSE protocol \(major).\(minor); 7.36 (Linux 5.17) is needed", .unavailable)
            case .ended(let cause): throw fail("the mount ended before it was usable: \(cause)")
            case .transport(.unavailable(let cause, let remedy)): throw fail("\(cause); \(remedy)", .unavailable)
            case .transport(let error): throw fail("\(choice.transport.name): \(error)")
            }
        }
    }

    private func finish(_ report: StopReport, _ log: Logger) throws {
        if report.isClean {
            log.info("stopped: \(report.cause)")
            return
        }
        if !report.leftovers.isEmpty {
            log.error(
                "stopped: \(report.cause); these threads did not end: \(report.leftovers.joined(separator: ", "))")
            // A thread that blocks in the backing filesystem would make an ordinary exit wait for it.
            _exit(ExitCode.software.rawValue)
        }
        log.error("stopped: \(report.cause)")
        throw ExitCode.failure
    }

    private func makeFileSystem(_ log: Logger) throws -> LoopbackFS {
        do throws(LoopbackFS.SourceError) {
            var configuration = options.fileSystem
            configuration.source = place.source
            configuration.requestTimeout = options.requestTimeout
            return try LoopbackFS(configuration, logger: log)
        } catch {
            throw fail("cannot serve \(place.source): \(error)")
        }
    }

    private func sessionConfiguration() -> Session.Configuration {
        var configuration = Session.Configuration()
        configuration.maxWrite = options.maxWrite
        configuration.requestTimeout = options.requestTimeout
        configuration.hook = fault.map(FaultInjection.init)
        return configuration
    }

    /// The daemon acts with rights of its own, so it is the kernel that checks the callers': `default_permissions` always.
    private func mountOptions() -> String {
        var all = options.kernel
        if !all.contains("default_permissions") { all.append("default_permissions") }
        all.append("fsname=" + MountOptions.escape(options.fileSystemName ?? "fstestkit"))
        if !options.subtype.isEmpty { all.append("subtype=" + MountOptions.escape(options.subtype)) }
        return all.joined(separator: ",")
    }

    /// What a mount can be told only once it is there.
    private func adjust(_ connection: Connection) throws {
        do {
            if options.ignoresSymbolicLinks { try connection.ignoreSymbolicLinks() }
            if options.autoUnmount { try AutoUnmount.watch(connection.mount) }
        } catch {
            try? connection.unmount(.lazy)
            if error is ExitCode { throw error }
            throw fail("nosymfollow: \(error)")
        }
    }

    /// The signals that stop the daemon come by a descriptor, to the one thread that reads it.
    private func blockSignals() throws -> FileDescriptor {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&set, signal) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
        // A client's write beyond the daemon's own limit on file sizes is the client's EFBIG, not the daemon's end.
        signal(SIGXFSZ, SIG_IGN)
        return FileDescriptor(rawValue: try Errno.check { signalfd(-1, &set, CInt(SFD_CLOEXEC | SFD_NONBLOCK)) })
    }

    private func redirect(to file: String) throws {
        do throws(Errno) {
            let descriptor = try Errno.check {
                clinux_openat(
                    AT_FDCWD, SystemText.cString(file), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
            }
            dup2(descriptor, 2)
            close(descriptor)
        } catch {
            throw fail("log file \(file): \(error)", .validationFailure)
        }
    }

    /// Tells the caller that the mount can be used, and lets go of its terminal.
    private func ready() {
        guard let readyDescriptor else { return }
        if options.logFile == nil,
            let null = try? Errno.check({ clinux_openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC, 0) })
        {
            dup2(null, 2)
            close(null)
        }
        var byte: UInt8 = 1
        _ = try? Errno.check { write(readyDescriptor, &byte, 1) }
        close(readyDescriptor)
    }
}
