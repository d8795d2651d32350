import CLinux
import Foundation
import Glibc
import LinuxSystem
import Synchronization
package import SystemPackage

/// Answers at a session's ``StatisticsSocket``, on a thread of its own.
final class StatisticsListener: Sendable {
    private let path: String
    private let socket: CInt
    /// Tells the socket from one that a later connection has put in its place.
    private let inode: UInt64
    private let stopping = Atomic<Bool>(false)

    /// Seconds that a client may take to read its answer: others wait behind it.
    private static let patience = 2.0

    /// - Throws: what mkdir(2), bind(2) or listen(2) say; EACCES if the folder belongs to someone else.
    init(connection number: UInt32, _ answer: @escaping @Sendable () -> SessionStatistics) throws(Errno) {
        try StatisticsListener.makeFolder(StatisticsSocket.folder(uid: geteuid()))
        let path = StatisticsSocket.path(connection: number, uid: geteuid())
        let socket = try StatisticsSocket.make(nonblocking: false)
        unsafe unlink(path)
        do throws(Errno) {
            try unsafe StatisticsSocket.withAddress(path) { address, size throws(Errno) in
                _ = try Errno.check { unsafe bind(socket, address, size) }
            }
            _ = try Errno.check { listen(socket, 8) }
            inode = try StatisticsListener.inode(of: path)
        } catch {
            Glibc.close(socket)
            unsafe unlink(path)
            throw error
        }
        self.path = path
        self.socket = socket
        do throws(Errno) {
            _ = try ServerThread.start(name: "statistics") { [self] in serve(answer) }
        } catch {
            Glibc.close(socket)
            unsafe unlink(path)
            throw error
        }
    }

    /// Ends the answering, and removes the socket unless another connection has got the number since, and listens there.
    func close() {
        stopping.store(true, ordering: .releasing)
        // accept(2) returns; the thread closes what it alone still uses.
        shutdown(socket, CInt(SHUT_RDWR))
        if (try? StatisticsListener.inode(of: path)) == inode { unsafe unlink(path) }
    }

    private func serve(_ answer: () -> SessionStatistics) {
        defer { Glibc.close(socket) }
        while !stopping.load(ordering: .acquiring) {
            do throws(Errno) {
                let client = try Errno.check { accept(socket, nil, nil) }
                defer { Glibc.close(client) }
                _ = clinux_fcntl(client, F_SETFD, CLong(FD_CLOEXEC))
                if let document = try? JSONEncoder().encode(answer()) { try send(document, to: client) }
            } catch .invalidArgument, .badFileDescriptor {
                return
            } catch .tooManyOpenFiles, .tooManyOpenFilesInSystem, .noMemory, .noBufferSpace {
                // It will pass, and the client waits in the queue until then.
                Deadline.sleep(.milliseconds(100))
            } catch {
                // A client that has gone, or does not read its answer.
            }
        }
    }

    private func send(_ document: Data, to client: CInt) throws(Errno) {
        let deadline = Deadline(secondsFromNow: StatisticsListener.patience)
        var rest = document[...]
        while !rest.isEmpty {
            try StatisticsSocket.wait(for: client, POLLOUT, until: deadline)
            let sent = try Errno.check {
                unsafe rest.withUnsafeBytes {
                    unsafe Glibc.send(client, $0.baseAddress!, $0.count, CInt(MSG_NOSIGNAL) | CInt(MSG_DONTWAIT))
                }
            }
            rest = rest.dropFirst(sent)
        }
    }

    private static func makeFolder(_ folder: String) throws(Errno) {
        if unsafe mkdir(folder, 0o700) == 0 { return }
        var information = stat()
        guard unsafe lstat(folder, &information) == 0, information.st_uid == geteuid(),
            information.st_mode & S_IFMT == S_IFDIR, information.st_mode & 0o077 == 0
        else { throw .permissionDenied }
    }

    private static func inode(of path: String) throws(Errno) -> UInt64 {
        var information = stat()
        _ = try Errno.check { unsafe lstat(path, &information) }
        return UInt64(information.st_ino)
    }
}

extension Session {
    /// Tells this session's statistics to whom may know them, from now until it stops.
    package func serveStatistics(of transport: any Transport) throws(Errno) {
        let listener = try StatisticsListener(connection: connection.number) { [self] in statistics(of: transport) }
        statisticsListener.withLock { $0 = listener }
    }
}
