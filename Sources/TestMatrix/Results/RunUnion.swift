import BenchCore
import Foundation
import LinuxSystem

/// One run made of the parts of one plan: shards, from this or other machines, or what was made of some of them before. In whatever
/// order and grouping parts are put together, the same comes out; a part that is there twice counts once.
///
/// Each cell is taken from the part that ran it. A cell that no part ran to its end is `elsewhere`, with the name of the shard that
/// should have: the run is unfinished, and that shard is to be run again.
public struct RunUnion {
    /// What makes a column of each machine that ran the same cells.
    public enum Columns: String, CaseIterable, Sendable {
        case kernel, machine
    }

    /// As they go into the whole: with columns their cells have other names than where they were run.
    let parts: [RunReport]

    /// - Parameters:
    ///   - parts: at least one, with their results.
    ///   - columns: cells on machines' own kernels get that kernel's or machine's name, so that several runs of one plan stand side by
    ///     side.
    /// - Throws: ``StoreError/cannotMerge(_:)`` if they are not parts of one plan.
    init(_ parts: [RunReport], columns: Columns? = nil) throws {
        guard let first = parts.first else { throw StoreError.cannotMerge("there is nothing to merge") }
        for part in parts.dropFirst() { try RunUnion.check(part, against: first, columns) }
        let kernels = parts.flatMap { RunUnion.kernels($0.run) }.uniqued()
        self.parts = parts.map { RunUnion.prepared($0, columns, isMixed: kernels.count > 1) }
    }

    /// - Returns: the run, before it is recorded.
    func report() throws -> RunReport {
        var chosen: [CellReport] = []
        var places: [Cell: Int] = [:]
        var sources: [Cell: RunRecord] = [:]
        for part in parts {
            for cell in part.cells {
                let key = cell.record.cell
                guard let place = places[key] else {
                    places[key] = chosen.count
                    sources[key] = part.run
                    chosen.append(cell)
                    continue
                }
                if cell.record.wasRun && chosen[place].record.wasRun {
                    guard cell.isSameAttempt(as: chosen[place]) else { throw twice(cell, sources[key], part.run) }
                } else if RunUnion.precedence(cell) > RunUnion.precedence(chosen[place]) {
                    sources[key] = part.run
                    chosen[place] = cell
                }
            }
        }
        for position in chosen.indices { chosen[position].record.position = position }
        return RunReport(run: run(chosen), cells: chosen)
    }

    private func run(_ cells: [CellReport]) -> RunRecord {
        var run = parts[0].run
        run.number = 0
        run.shard = nil
        run.baseline = nil
        // One machine whose clock is years off must not take the run out of its place among the others.
        let starts = parts.map(\.run.started).sorted()
        run.started = starts[starts.count / 2]
        run.finished = parts.compactMap(\.run.finished).sorted().last { $0 >= run.started }
        run.state = cells.contains { $0.record.isMissing(inShard: nil) } ? .interrupted : .finished
        run.kernel = parts.flatMap { RunUnion.kernels($0.run) }.uniqued().joined(separator: ", ")
        run.parts = parts.flatMap { $0.run.parts.isEmpty ? [$0.run.id] : $0.run.parts }.uniqued().sorted()
        // Of the same parts, the same run.
        var hash = FNV1a()
        hash.combine(run.parts.joined(separator: " ").utf8)
        run.id = RunRecord.newID(at: run.started, suffix: UInt16(truncatingIfNeeded: hash.value))
        run.folder = "runs/" + run.id
        return run
    }

    private func twice(_ cell: CellReport, _ one: RunRecord?, _ other: RunRecord) -> StoreError {
        func name(_ run: RunRecord?) -> String {
            run.map { "\($0.id) (Linux \($0.kernel) on \($0.machine.name))" } ?? ""
        }
        return .cannotMerge(
            "\(cell.record.cell.key) was run by both \(name(one)) and \(name(other)); --columns kernel or machine puts "
                + "runs of one plan side by side")
    }

    /// A part's cells as they go into the whole.
    private static func prepared(_ part: RunReport, _ columns: Columns?, isMixed: Bool) -> RunReport {
        let cells = part.cells.map { cell in
            var cell = cell
            if cell.record.cell.kernel == nil {
                // Histories go by kernel, and the whole may have several.
                if (isMixed || columns != nil) && cell.record.machine == nil && cell.record.wasRun {
                    cell.record.machine = SuiteMachine(part.run)
                }
                switch columns {
                case .kernel: cell = cell.on(RunUnion.name(part.run.kernel))
                case .machine: cell = cell.on(RunUnion.name(part.run.machine.name))
                case nil: break
                }
            }
            if [.planned, .running].contains(cell.record.state) {
                cell.record.state = .elsewhere
                cell.record.reason = part.run.shard.map { "shard \($0)" } ?? part.run.id
            }
            return cell
        }
        return RunReport(run: part.run, cells: cells)
    }

    private static func check(_ part: RunReport, against first: RunReport, _ columns: Columns?) throws {
        // With columns some parts may have several already: what a plan has is what stands on any kernel.
        func plan(_ report: RunReport) -> [String] {
            let cells = report.cells.map(\.record.cell)
            return columns == nil ? cells.map(\.key) : cells.map(\.keyOnAnyKernel).uniqued().sorted()
        }
        let (one, other) = (plan(first), plan(part))
        if one != other {
            let difference =
                Set(other).subtracting(one).min().map { "it has \($0)" }
                ?? Set(one).subtracting(other).min().map { "it lacks \($0)" } ?? "in another order"
            throw StoreError.cannotMerge("\(part.run.id) has another plan than \(first.run.id): \(difference)")
        }
        guard part.run.seed == first.run.seed else {
            throw StoreError.cannotMerge(
                "\(part.run.id) has another plan than \(first.run.id): its seed is \(part.run.seed), not \(first.run.seed)"
            )
        }
    }

    private static func kernels(_ run: RunRecord) -> [String] { run.kernel.components(separatedBy: ", ") }

    /// It becomes a folder's.
    private static func name(_ text: String) -> String {
        String(text.map { $0 == "/" || $0.isWhitespace ? "_" : $0 })
    }

    private static func precedence(_ cell: CellReport) -> Int {
        switch cell.record.state {
        case .finished, .broken: 3
        case .leftOut: 2
        // Of two that did not get to the end, the one that got somewhere.
        case .elsewhere, .running, .planned: cell.results.isEmpty ? 0 : 1
        }
    }
}

extension CellReport {
    /// The same as a cell of this kernel: its results' and evidence's names with it.
    fileprivate func on(_ kernel: String) -> CellReport {
        var record = record
        let old = record.cell.folder + "/"
        record.cell.kernel = kernel
        let (new, track) = (record.cell.folder + "/", record.cell.track)
        func renamed(_ path: String) -> String { path.hasPrefix(old) ? new + path.dropFirst(old.count) : path }
        record.log = renamed(record.log)
        return CellReport(
            record: record,
            results: results.map { result in
                var result = result
                result.target = track
                result.evidence = result.evidence.map(renamed)
                return result
            })
    }

    /// Whether it is the very same, by another way.
    fileprivate func isSameAttempt(as other: CellReport) -> Bool {
        record.started == other.record.started && record.seconds == other.record.seconds && results == other.results
    }
}

extension SuiteMachine {
    /// The machine that a run was made on, without a guest.
    init(_ run: RunRecord) {
        self.init(
            kernel: run.kernel, build: "", commandLine: "", emulator: run.machine.name,
            accelerator: run.machine.processor,
            processors: run.machine.processors, memory: Int(run.machine.memory >> 20))
    }
}
