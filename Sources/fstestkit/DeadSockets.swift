import BenchCore
import FUSEServer
import Foundation
import SystemPackage

/// Sockets of daemons that were killed. One that ends by itself takes its own away.
enum DeadSockets {
    /// Those of this user at which nobody listens, and whose connections are gone: a daemon binds its socket a moment before
    /// it listens, and has its connection by then.
    static func all() -> [String] {
        let user = geteuid()
        let folder = FilePath(StatisticsSocket.path(connection: 0, uid: user)).removingLastComponent().string
        let connections = FuseControl.connections
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.compactMap { name in
            guard name.hasSuffix(".sock"), let number = UInt32(name.dropLast(5)), !connections.contains(number) else {
                return nil
            }
            do throws(Errno) {
                _ = try StatisticsSocket.processID(connection: number, uid: user)
            } catch .connectionRefused {
                return folder + "/" + name
            } catch {
                // Somebody's, or gone by now.
            }
            return nil
        }.sorted()
    }
}
