import ArgumentParser
import FUSEServer
import LinuxSystem
import SystemPackage
import BenchCore

/// Why a mount does not answer and what to do about it, as far as can be told without asking its daemon.
struct MountDiagnosis {
    private let entry: MountEntry
    private let daemons: [ProcessID]

    init(_ entry: MountEntry) {
        self.entry = entry
        // Holders of a connection that has ended still show its number, which may be this one's by now: whom the socket names
        // is the one.
        let owner = StatsCommand.owner(of: entry)
        let listener = try? StatisticsSocket.processID(connection: entry.minor, uid: owner)
        daemons = listener.map { [ProcessID($0)] } ?? FuseConnection(entry.minor).holders
    }

    /// Who serves it, as far as this user may know.
    var daemon: ProcessID? { daemons.first }

    /// Whether all who could answer were stopped by a signal.
    var isStopped: Bool { !daemons.isEmpty && daemons.allSatisfy { $0.state == "T" || $0.state == "t" } }

    /// A sentence.
    var sentence: String {
        "\(reason); \(abort), 'umount -l \(entry.mountPoint)' takes the mount away"
    }

    /// The same for a mount that has been taken away already.
    var sentenceOnceUnmounted: String { "\(reason); \(abort)" }

    private var reason: String {
        guard let daemon else { return "its daemon is not to be found" }
        let who = "its daemon, process \(daemon) (\(daemon.name))"
        return isStopped ? "\(who), is stopped: 'kill -CONT \(daemon)' lets it go on" : "\(who), does not answer"
    }

    private var abort: String {
        "'echo 1 > \(FuseControl.root)/\(entry.minor)/abort' (as root) ends the connection"
    }
}
