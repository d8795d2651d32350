import CLinux
public import Foundation
import LinuxSystem
public import SystemPackage

/// The Unix socket at which a daemon tells its statistics: one JSON document for each connection, then end of file.
///
/// Only the mount's owner gets in: the folder and the socket are theirs alone.
public enum StatisticsSocket {
    /// Where the daemon of connection `number`, run by user `uid`, listens.
    public static func path(connection number: UInt32, uid: UInt32) -> String {
        folder(uid: uid) + "/\(number).sock"
    }

    private static func folder(uid: UInt32) -> String {
        uid == 0 ? "/run/fstestkit" : "/tmp/fstestkit-\(uid)"
    }

    /// Listens, and answers on a thread of its own as long as the process lives.
    ///
    /// - Returns: the socket's inode number.
    /// - Throws: what mkdir(2), bind(2) or listen(2) say; EACCES if the folder belongs to someone else.
    static func serve(
        connection number: UInt32, _ answer: @escaping @Sendable () -> SessionStatistics
    ) throws(Errno) -> UInt64 {
        let folder = folder(uid: geteuid())
        let path = path(connection: number, uid: geteuid())
        if mkdir(folder, 0o700) != 0 {
            var information = stat()
            guard lstat(folder, &information) == 0, information.st_uid == geteuid(),
                information.st_mode & S_IFMT == S_IFDIR, information.st_mode & 0o077 == 0
            else { throw .permissionDenied }
        }
        unlink(path)
        let listener = try Errno.check {
            socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | 0o2000000 /* SOCK_CLOEXEC */, 0)
        }
        try withAddress(path) { address, size throws(Errno) in _ = try Errno.check { bind(listener, address, size) } }
        _ = try Errno.check { listen(listener, 8) }
        _ = try ServerThread.start(name: "statistics") {
            while let client = try? Errno.check({ accept(listener, nil, nil) }) {
                if let document = try? JSONEncoder().encode(answer()) { send(document, to: client) }
                close(client)
            }
        }
        return try inode(of: path)
    }

    /// Removes the socket, unless another connection has got the number since, and listens there.
    static func remove(connection number: UInt32, inode: UInt64) {
        let path = path(connection: number, uid: geteuid())
        if (try? self.inode(of: path)) == inode { unlink(path) }
    }

    private static func inode(of path: String) throws(Errno) -> UInt64 {
        var information = stat()
        _ = try Errno.check { lstat(path, &information) }
        return UInt64(information.st_ino)
    }

    /// Asks a daemon.
    ///
    /// - Throws: ENOENT and ECONNREFUSED when there is none; EACCES when it is not this user's.
    public static func ask(connection number: UInt32, uid: UInt32) throws(Errno) -> Data {
        let client = try Errno.check { socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0) }
        defer { close(client) }
        try withAddress(path(connection: number, uid: uid)) { address, size throws(Errno) in
            _ = try Errno.check { connect(client, address, size) }
        }
        var document = Data()
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = try Errno.check { read(client, &chunk, chunk.count) }
            if count == 0 { return document }
            document.append(contentsOf: chunk[..<count])
        }
    }

    /// A client that goes away in between is no error.
    private static func send(_ document: Data, to client: CInt) {
        document.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count {
                let count = Glibc.send(client, bytes.baseAddress! + done, bytes.count - done, CInt(MSG_NOSIGNAL))
                if count <= 0 { return }
                done += count
            }
        }
    }

    private static func withAddress(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) throws(Errno) -> Void
    ) throws(Errno) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else { throw .fileNameTooLong }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        var result: Errno?
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                do throws(Errno) {
                    try body(pointer, socklen_t(MemoryLayout<sockaddr_un>.size))
                } catch {
                    result = error
                }
            }
        }
        if let result { throw result }
    }
}

extension Session {
    /// Tells this session's statistics to whom may know them, from now until it stops.
    public func serveStatistics(of transport: any Transport) throws(Errno) {
        let inode = try StatisticsSocket.serve(connection: connection.number) { [self] in statistics(of: transport) }
        statisticsSocket.store(inode, ordering: .relaxed)
    }
}
