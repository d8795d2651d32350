import ArgumentParser
import CLinux
import FUSEServer
import Faults
import Foundation
import LinuxSystem
import SystemPackage
import BenchCore

struct MountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mount",
        abstract: "Serve a directory as a filesystem, over the transport of your choice.",
        discussion: """
            Goes to the background once the mount can be used. Every setting can be given as -o NAME=VALUE too, so that \
            mount(8) and fstab can: mount -t fuse.fstestkit none /mnt -o source=/dir,transport=uring-percore,allow_other

            Exit status: 0 after a clean stop, 64 for a wrong option, 69 for a transport that this machine does not have.
            """)

    @Argument(help: "The directory that is served.")
    var source: FilePath
    @Argument(help: "The directory that the filesystem is mounted on.")
    var mountPoint: FilePath

    @Option(help: "auto, legacy (/dev/fuse), uring-single (one ring) or uring-percore (a ring for each core).")
    var transport: String?
    @Option(help: "legacy: what serves if the transport is not to be had.")
    var fallback: String?
    @Option(help: "Requests that each queue of the ring can hold at once (default: 8).")
    var depth: String?
    @Option(help: "Rings, from 1 to the number of possible CPUs; uring-single means 1, uring-percore all.")
    var rings: String?
    @Option(
        help: "Bytes (as 4M) of payload buffers that a queue's requests share, from Linux 7.3 on (default: auto).")
    var pool: String?
    @Flag(
        inversion: .prefixedNo,
        help: "Leave data of reads and writes in the clients' pages, from Linux 7.3 on (default: where that can be).")
    var zeroCopy: Bool?
    @Option(help: "Threads of the legacy transport.")
    var threads: String?
    @Option(help: "The largest write in bytes (default: 1048576).")
    var maxWrite: String?
    @Flag(inversion: .prefixedNo, help: "Bypass the kernel's page cache for every file (default: no).")
    var directIo: Bool?
    @Option(help: "auto, always or never: when the kernel may answer from its caches (default: auto).")
    var cache: String?
    @Flag(inversion: .prefixedNo, help: "Let the kernel collect writes (default: no).")
    var writeback: Bool?
    @Flag(inversion: .prefixedNo, help: "Let reads and writes bypass the daemon, and so the transport (default: no).")
    var passthrough: Bool?
    @Option(help: "Seconds that the kernel may keep attributes (default: 1).")
    var attrTimeout: String?
    @Option(help: "Seconds that the kernel may keep names (default: 1).")
    var entryTimeout: String?
    @Option(help: "Seconds after which the kernel aborts the connection over one late request (default: never).")
    var requestTimeout: String?
    @Flag(inversion: .prefixedNo, help: "Keep and enforce POSIX ACLs (default: yes).")
    var posixAcl: Bool?
    @Flag(inversion: .prefixedNo, help: "Extended attributes (default: yes).")
    var xattr: Bool?
    @Flag(inversion: .prefixedNo, help: "Take record locks in the source (default: yes).")
    var posixLock: Bool?
    @Flag(inversion: .prefixedNo, help: "Take flock(2) locks in the source (default: yes).")
    var flock: Bool?
    @Flag(inversion: .prefixedNo, help: "Hold inodes by file handle, so that they need no descriptors (default: yes).")
    var fileHandles: Bool?
    @Option(help: "The name that the mount table shows (default: fstestkit).")
    var fsname: String?
    @Flag(help: "Unmount when the daemon dies, even by SIGKILL.")
    var autoUnmount = false
    @Option(help: "Where the daemon's log goes; in the foreground it is standard error.")
    var logFile: String?
    @Option(name: .customShort("o"), help: "Settings and mount options, separated by commas.")
    var options: [String] = []
    @Option(
        help:
            "Do one thing wrong, for tests of the suites (needs --allow-faults): \(Fault.names)."
    )
    var fault: String?
    @Flag(help: "Let --fault break the filesystem.")
    var allowFaults = false
    @Flag(help: "Check everything, but do not mount.")
    var fake = false
    @Flag(help: "Let options pass that are not known.")
    var sloppy = false
    @Flag(help: "Say what was mounted.")
    var verbose = false
    @Option(
        help: "Mount in another mount namespace, which is looked into for the source too: a process's id, or a file.")
    var namespace: String?
    @Flag(help: "Stay in the foreground.")
    var foreground = false
    @Flag(help: "Log each step of start and stop.")
    var debug = false
    @Option(help: .hidden)
    var readyDescriptor: Int32?

    mutating func run() throws {
        if let namespace { try MountNamespace(namespace).enter() }
        let options: MountOptions
        do {
            options = try gather()
        } catch {
            throw fail("\(error.message); see 'fstestkit mount --help'", .validationFailure)
        }
        let fault = try chosenFault()
        if options.remount { return try remount(options) }
        let place = try Place(source: source, mountPoint: mountPoint)
        if fake { return announce("\(place.source) would be mounted on \(place.mountPoint)", if: verbose) }
        if foreground {
            try Daemon(
                options: options, place: place, debug: debug, readyDescriptor: readyDescriptor, fault: fault
            ).run()
        } else {
            try Background.start()
            announce("\(place.source) is mounted on \(place.mountPoint)", if: verbose)
        }
    }

    private func announce(_ line: String, if isWanted: Bool) {
        if isWanted { print("fstestkit: \(line)") }
    }

    private func chosenFault() throws -> Fault? {
        guard let fault else { return nil }
        guard allowFaults else {
            throw fail("--fault breaks the filesystem: it needs --allow-faults", .validationFailure)
        }
        if let found = Fault(rawValue: fault) { return found }
        throw fail("there is no fault \(fault): \(Fault.names)", .validationFailure)
    }

    /// All settings: the long options, then `-o`.
    private func gather() throws(MountOptions.Refusal) -> MountOptions {
        var gathered = MountOptions(source: source)
        gathered.isSloppy = sloppy
        gathered.autoUnmount = autoUnmount
        let values: [(String, String?)] = [
            ("transport", transport), ("fallback", fallback), ("depth", depth), ("rings", rings), ("threads", threads),
            ("pool", pool),
            ("max_write", maxWrite), ("cache", cache), ("attr_timeout", attrTimeout), ("entry_timeout", entryTimeout),
            ("request_timeout", requestTimeout), ("fsname", fsname), ("log_file", logFile),
        ]
        let flags: [(String, Bool?)] = [
            ("direct_io", directIo), ("writeback", writeback), ("passthrough", passthrough), ("posix_acl", posixAcl),
            ("xattr", xattr), ("posix_lock", posixLock), ("flock", flock), ("file_handles", fileHandles),
            ("zero_copy", zeroCopy),
        ]
        for case (let name, let value?) in values { try gathered.apply("\(name)=\(value)") }
        for case (let name, let on?) in flags { try gathered.apply(on ? name : "no_\(name)") }
        for list in options {
            for option in MountOptions.split(list) { try gathered.apply(option) }
        }
        return gathered
    }

    /// The kernel changes the flags of a mount; the daemon need not know. Those that are not named stay as they are. In a child:
    /// what is not written yet is written first, by the daemon.
    private func remount(_ options: MountOptions) throws {
        guard let entry = try MountedAt.find(mountPoint) else { throw fail("\(mountPoint) is no FUSE mount") }
        let bits: [String: UInt] = [
            "ro": 1, "nosuid": 2, "nodev": 4, "noexec": 8, "sync": 16, "dirsync": 128, "noatime": 1024,
            "nodiratime": 2048, "nosymfollow": 256,
        ]
        var flags: UInt = 32  // MS_REMOUNT
        let kept = entry.options.split(separator: ",").map(String.init)
        for option in kept + (options.ignoresSymbolicLinks ? ["nosymfollow"] : []) + options.kernel {
            if let bit = bits[option] {
                flags |= bit
            } else if let bit = bits["no" + option] ?? bits[["rw": "ro", "async": "sync"][option] ?? ""] {
                flags &= ~bit
            }
        }
        switch IsolatedCall.remount(entry.path, flags: flags).run() {
        case nil: return
        case .timedOut?: throw fail("\(mountPoint) cannot be remounted: \(MountDiagnosis(entry).sentence)", .software)
        case let error?: throw fail("cannot remount \(mountPoint): \(error)")
        }
    }
}
