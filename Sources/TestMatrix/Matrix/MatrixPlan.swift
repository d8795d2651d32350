import Foundation
import LinuxSystem
import BenchCore

/// The cells of a matrix, in the order in which they are run. It follows from the configuration and the seed alone, never from the
/// machine, so that shards on different machines agree on it.
public struct MatrixPlan: Sendable {
    public struct Entry: Sendable, Hashable {
        public var cell: Cell
        public var target: MatrixConfiguration.TargetChoice
        /// The guest's kernel and CPUs; nil for the machine itself.
        public var guest: Guest?
        public var seed: UInt64
    }

    public struct Guest: Sendable, Hashable {
        /// As `vm run --kernel` takes it.
        public var kernel: String
        public var cpus: Int
        /// In the matrix's columns: the kernel's, and the CPUs where they are not the usual two.
        public var label: String
    }

    public let configuration: MatrixConfiguration
    public let seed: UInt64
    public let entries: [Entry]

    public init(_ configuration: MatrixConfiguration, seed: UInt64) {
        self.configuration = configuration
        self.seed = seed
        var entries: [Entry] = []
        for cycle in 1...max(1, configuration.cycles) {
            for guest in configuration.kernels.flatMap(configuration.guests(with:)) {
                for suite in configuration.suites {
                    for target in configuration.targets(of: suite, seed) {
                        let usesRing = target.transport?.usesRing ?? false
                        let depths: [Int?] = usesRing && !configuration.depths.isEmpty ? configuration.depths : [nil]
                        for depth in depths {
                            let cell = Cell(
                                suite: suite, kernel: guest?.label, target: target.label, depth: depth, cycle: cycle)
                            entries.append(
                                Entry(
                                    cell: cell, target: target, guest: guest,
                                    seed: MatrixPlan.seed(seed, cell.keyOnAnyKernel)))
                        }
                    }
                }
            }
        }
        self.entries = entries
    }

    /// A seed for one cell: the same on each kernel, so that kernels differ and nothing else does, the same in whichever shard, and after a resume. At most nine digits, to be typed again.
    static func seed(_ seed: UInt64, _ key: String) -> UInt64 {
        var hash = FNV1a()
        hash.combine("\(seed)/\(key)".utf8)
        return hash.value % 999_999_999 + 1
    }

    /// The plan as the `matrix` of a GitHub Actions job: one entry for each cell, or for each of `shards` shards.
    public func json(shards: Int?) throws -> String {
        let count = shards ?? entries.count
        let jobs = (1...max(1, count)).map { index in
            let shard = Shard(index: index, count: count)
            let cells = entries.indices.filter(shard.contains).map { entries[$0].cell }
            return Job(
                name: cells.count == 1 ? cells[0].key : "shard \(index) of \(count)", shard: shard.description,
                seed: seed,
                cells: cells.map {
                    JobCell(
                        key: $0.key, suite: $0.suite, kernel: $0.kernel, target: $0.target, depth: $0.depth,
                        cycle: $0.cycle)
                })
        }
        let encoder = JSONEncoder()
        // One line: it goes into a job's output.
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(Jobs(include: jobs.filter { !$0.cells.isEmpty })), as: UTF8.self)
    }

    private struct Jobs: Encodable { let include: [Job] }

    private struct Job: Encodable {
        let name: String
        let shard: String
        let seed: UInt64
        let cells: [JobCell]
    }

    private struct JobCell: Encodable {
        let key: String
        let suite: String
        let kernel: String?
        let target: String
        let depth: Int?
        let cycle: Int
    }
}

extension MatrixConfiguration {
    /// A guest for each number of CPUs; nil for the machine itself.
    fileprivate func guests(with kernel: KernelChoice) -> [MatrixPlan.Guest?] {
        guard let specification = kernel.specification else { return [nil] }
        return guests.cpus.map { cpus in
            MatrixPlan.Guest(
                kernel: specification, cpus: cpus,
                label: kernel.label + (cpus == GuestChoice.usualCPUs ? "" : "+\(cpus)cpus"))
        }
    }

    /// Those that a suite is run on, each with each set of mount options.
    fileprivate func targets(of suite: String, _ seed: UInt64) -> [TargetChoice] {
        suite == MatrixConfiguration.ringFuzz ? [.kernel] : targets.flatMap { variants(of: $0, suite, seed) }
    }

    /// The target with each set of mount options.
    private func variants(of target: TargetChoice, _ suite: String, _ seed: UInt64) -> [TargetChoice] {
        let takesOptions =
            MatrixConfiguration.suitesWithMountOptions.contains(suite) || ownSuites.contains { $0.name == suite }
        guard let transport = target.transport, takesOptions, !mountOptions.isEmpty else { return [target] }
        return MountOptionSet.sets(mountOptions, on: transport, seed: seed).map {
            TargetChoice(transport: transport, mountOptions: $0)
        }
    }
}
