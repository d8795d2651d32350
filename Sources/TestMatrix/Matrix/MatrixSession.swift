import BenchCore
import Foundation

/// Everything that a run of the matrix stands on: the store, the run's records, its folder and its lock.
public struct MatrixSession {
    public let store: Store
    public let plan: MatrixPlan
    public let run: RunRecord
    public let cells: [CellRecord]
    public let folder: RunFolder
    /// What was removed of a killed bench.
    public var cleanedUp: [String] = []

    public enum StartError: Error, Hashable, Sendable {
        /// Another bench works on this run.
        case busy(String)
        case nothingToResume
        /// The run was merged of shards and lacks these, with how many cells each; what is there is finished.
        case shardsMissing(String, [String])
        /// The plan that was given is not that of the settings, and why.
        case otherPlan(String)
        /// The run was recorded by a version whose configuration this one does not read.
        case unreadable(String)
    }

    /// The one store of a folder, made if need be.
    public static func store(in output: String, mustExist: Bool = false) throws -> Store {
        if !mustExist { try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true) }
        return try Store(path: storePath(in: output), mustExist: mustExist)
    }

    public static func storePath(in output: String) -> String { output + "/results.sqlite" }

    /// Begins a new run and records its plan.
    ///
    /// - Parameter planned: who has which cell; nil if they are dealt out in turn.
    public static func begin(
        _ configuration: MatrixConfiguration, shard: Shard?, planned: PlanDocument? = nil, availability: Availability,
        tool: String, commandLine: [String]
    ) throws -> MatrixSession {
        let store = try store(in: configuration.output)
        let plan = MatrixPlan(configuration, seed: configuration.seed ?? UInt64.random(in: 1...999_999_999))
        let assignment = try assignment(of: plan, planned)
        let now = Date()
        let id = RunRecord.newID(at: now)
        guard let folder = try RunFolder(path(of: "runs/" + id, in: configuration.output)) else {
            throw StartError.busy(id)
        }
        let run = RunRecord(
            id: id, started: now, tool: tool, kernel: Machine.kernel, machine: .current,
            environment: RunRecord.currentEnvironment, commandLine: commandLine,
            configuration: try JSONColumn.text(configuration), seed: plan.seed, shard: shard?.description,
            folder: "runs/" + id)
        let (recorded, cells) = try store.begin(
            run, cells: MatrixRunner.cells(plan, shard: shard, assignment: assignment, availability: availability))
        return MatrixSession(store: store, plan: plan, run: recorded, cells: cells, folder: folder)
    }

    private static func assignment(of plan: MatrixPlan, _ planned: PlanDocument?) throws -> ShardAssignment? {
        do throws(PlanDocument.Refusal) {
            return try planned?.assignment(of: plan)
        } catch {
            throw StartError.otherPlan(error.what)
        }
    }

    /// Takes up a shard that a scheduler has started again: the run of this plan and shard in this folder, finished or not.
    ///
    /// - Parameter seed: the plan's.
    /// - Returns: nil if there is none: it is to be begun.
    public static func resume(_ configuration: MatrixConfiguration, shard: Shard, seed: UInt64) throws -> MatrixSession?
    {
        let store = try store(in: configuration.output)
        let plan = MatrixPlan(configuration, seed: seed).entries.map(\.cell)
        for run in try store.runs(limit: 100) where run.shard == shard.description && run.seed == seed {
            guard try store.cells(of: run).map(\.cell) == plan else { continue }
            guard let folder = try RunFolder(path(of: run.folder, in: configuration.output)) else {
                throw StartError.busy(run.id)
            }
            return try resume(run, store, folder, configuration.output)
        }
        return nil
    }

    /// Takes up the last run that was not finished and that no bench works on: finished cells stay, the one that was running is
    /// run again as a whole.
    public static func resume(in output: String) throws -> MatrixSession {
        let store = try store(in: output, mustExist: true)
        var busy: String?
        var lacking: StartError?
        for run in try store.runs(limit: 100) where run.state != .finished && run.folder.hasPrefix("runs/") {
            guard let folder = try RunFolder(path(of: run.folder, in: output)) else {
                busy = busy ?? run.id
                continue
            }
            let cells = try store.cells(of: run)
            // One of the bench's, which is made again as a whole.
            if cells.isEmpty { continue }
            let shards = cells.filter { $0.state == .elsewhere }.map(\.reason).uniqued()
            if run.shard == nil, !shards.isEmpty, !cells.contains(where: { [.planned, .running].contains($0.state) }) {
                // They are to be run where they belong, and merged.
                lacking = lacking ?? .shardsMissing(run.id, shards)
                continue
            }
            return try resume(run, store, folder, output)
        }
        if let lacking { throw lacking }
        if let busy { throw StartError.busy(busy) }
        throw StartError.nothingToResume
    }

    private static func resume(_ run: RunRecord, _ store: Store, _ folder: RunFolder, _ output: String) throws
        -> MatrixSession
    {
        guard var configuration = try? JSONColumn.value(MatrixConfiguration.self, run.configuration) else {
            throw StartError.unreadable(run.id)
        }
        configuration.output = output
        let cleanedUp = folder.cleanUp()
        let run = try store.end(run, state: .running, at: Date())
        let cells = try store.cells(of: run).map { $0.state == .running ? try store.reset($0) : $0 }
        return MatrixSession(
            store: store, plan: MatrixPlan(configuration, seed: run.seed), run: run, cells: cells, folder: folder,
            cleanedUp: cleanedUp)
    }

    /// The absolute path of something in the output folder.
    static func path(of name: String, in output: String) -> String {
        URL(fileURLWithPath: output).standardizedFileURL.path + "/" + name
    }
}
