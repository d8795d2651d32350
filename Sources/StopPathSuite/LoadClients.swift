public import BenchCore
import Glibc
import LinuxSystem
public import SystemPackage

/// A load client as the bench sees it.
public struct BenchClient: Sendable {
    public let index: Int
    /// Unique within the run: names its folder, its ledger and its blocks.
    public let id: UInt64
    public let kind: LoadKind
    public let process: ChildProcess
    public let statusFile: FilePath
    public let ledger: FilePath

    public var status: LoadStatus? { LoadStatus.read(statusFile) }

    /// For messages: what it is doing and how it is.
    var description: String {
        let status = status
        let doing = status.map { LoadOperation.name($0.current) } ?? "starting"
        let state = process.id.state.map { ", state \($0)" } ?? ""
        return "client \(index) (\(kind.rawValue), pid \(process.id.pid)\(state), in \(doing))"
    }
}
