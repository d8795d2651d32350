import CLinux
package import Foundation
import LinuxSystem
package import SystemPackage

/// The Unix socket at which a daemon tells its statistics: one JSON document for each connection, then end of file.
///
/// Only the mount's owner gets in: the folder and the socket are theirs alone.
package enum StatisticsSocket {
    /// Where the daemon of connection `number`, run by user `uid`, listens.
    package static func path(connection number: UInt32, uid: UInt32) -> String {
        folder(uid: uid) + "/\(number).sock"
    }

    static func folder(uid: UInt32) -> String {
        uid == 0 ? "/run/fstestkit" : "/tmp/fstestkit-\(uid)"
    }

    /// Asks a daemon.
    ///
    /// - Throws: ENOENT and ECONNREFUSED when there is none; EACCES when it is not this user's; ETIMEDOUT when it has not answered
    ///   within `seconds`, as a daemon that is stopped.
    package static func ask(connection number: UInt32, uid: UInt32, within seconds: Double = 2) throws(Errno) -> Data {
        let deadline = Deadline(secondsFromNow: seconds)
        let client = try make(nonblocking: true)
        defer { close(client) }
        try connect(client, to: number, uid: uid, until: deadline)
        var document = Data()
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            try wait(for: client, POLLIN, until: deadline)
            let count = try Errno.check { unsafe read(client, &chunk, chunk.count) }
            if count == 0 { return document }
            document.append(contentsOf: chunk[..<count])
        }
    }

    /// Which process listens: the kernel knows, even if the process does not answer.
    ///
    /// - Throws: as ``ask(connection:uid:within:)``.
    package static func processID(connection number: UInt32, uid: UInt32) throws(Errno) -> Int32 {
        let client = try make(nonblocking: true)
        defer { close(client) }
        try connect(client, to: number, uid: uid, until: Deadline(secondsFromNow: 1))
        // struct ucred: pid, uid, gid.
        var credentials: (Int32, UInt32, UInt32) = (0, 0, 0)
        var size = socklen_t(MemoryLayout.size(ofValue: credentials))
        _ = try Errno.check { unsafe getsockopt(client, SOL_SOCKET, SO_PEERCRED, &credentials, &size) }
        return credentials.0
    }

    private static func connect(
        _ client: CInt, to number: UInt32, uid: UInt32, until deadline: Deadline
    ) throws(Errno) {
        while true {
            do throws(Errno) {
                return try unsafe withAddress(path(connection: number, uid: uid)) { address, size throws(Errno) in
                    _ = try Errno.check { unsafe Glibc.connect(client, address, size) }
                }
            } catch .resourceTemporarilyUnavailable where !deadline.hasPassed {
                // As many ask already as may wait.
                Deadline.sleep(.milliseconds(10))
            } catch {
                throw error == .resourceTemporarilyUnavailable ? .timedOut : error
            }
        }
    }

    static func make(nonblocking: Bool) throws(Errno) -> CInt {
        let flags: CInt = 0o2000000 /* SOCK_CLOEXEC */ | (nonblocking ? 0o4000 /* SOCK_NONBLOCK */ : 0)
        return try Errno.check { socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | flags, 0) }
    }

    /// - Throws: ETIMEDOUT.
    static func wait(for socket: CInt, _ events: CInt, until deadline: Deadline) throws(Errno) {
        var entry = pollfd(fd: socket, events: Int16(events), revents: 0)
        let ready = try Errno.check { unsafe poll(&entry, 1, deadline.millisecondsLeft) }
        if ready == 0 { throw .timedOut }
    }

    static func withAddress(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) throws(Errno) -> Void
    ) throws(Errno) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else { throw .fileNameTooLong }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        var result: Errno?
        unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                do throws(Errno) {
                    try unsafe body(pointer, socklen_t(MemoryLayout<sockaddr_un>.size))
                } catch {
                    result = error
                }
            }
        }
        if let result { throw result }
    }
}
