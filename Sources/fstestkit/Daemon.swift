import ArgumentParser
import CLinux
import FUSE
import FUSEServer
import Faults
import Foundation
import LinuxSystem
import Logging
import LoopbackFS
import SystemPackage

/// The daemon: serves the source as the library serves any filesystem, with the settings of this program.
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
        do {
            var service = try Service(options.transport, log: log)
            service.session = sessionConfiguration()
            service.tellsStatistics = true
            service.autoUnmount = options.autoUnmount
            if let file = options.logFile { try redirect(to: file) }
            umask(0)
            let fileSystem = try makeFileSystem(log)
            // Relative paths have been used by now, and a working directory would be in use.
            _ = chdir("/")
            let report = try service.run(
                on: place.mountPoint, mountOptions: SystemText.cString(mountOptions())
            ) { connection throws(ServeError) in
                try prepare(fileSystem, for: connection, log)
                return fileSystem
            } whenReady: {
                ready()
            }
            if !report.leftovers.isEmpty { log.error("where all threads are: \(LateThreads.text)") }
            report.exit(log)
        } catch let error as ServeError {
            throw fail("\(error)", ExitCode(error.exitStatus))
        }
    }

    /// Gives the mount what it can be told only once it is there, and the filesystem what it needs of its connection.
    private func prepare(_ fileSystem: LoopbackFS, for connection: Connection, _ log: Logger) throws(ServeError) {
        if options.ignoresSymbolicLinks {
            do throws(Errno) {
                try connection.ignoreSymbolicLinks()
            } catch {
                throw .failed("nosymfollow: \(error)")
            }
        }
        fileSystem.setBackingRegistration(
            register: { descriptor throws(Errno) in try connection.registerBacking(descriptor) },
            unregister: { connection.unregisterBacking($0) })
        fileSystem.setConnection(connection.number)
        fileSystem.setInvalidation { connection.invalidateAttributes(of: $0) }
        if let fault { log.warning("this daemon is wrong on purpose: \(fault.summary)") }
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
        configuration.stopTimeout = Double(options.stopTimeout)
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
