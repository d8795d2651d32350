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

    /// The plan in shards, one for each cell if nobody says how many, as JSON.
    ///
    /// - Parameter store: where earlier runs tell how long cells take: shards then take about equally long. Without it cells are dealt
    ///   out in turn.
    public func json(shards: Int?, timesFrom store: Store? = nil) throws -> String {
        try PlanDocument(self, shards: shards, seconds: try store.map { expected(try $0.expectedSeconds()) }).json
    }

    /// What each cell is expected to take, in seconds: what its group took before; or else the mean of its suite, or of all.
    func expected(_ known: [String: Double]) -> [Double] {
        func mean(_ values: [Double]) -> Double? { values.isEmpty ? nil : values.reduce(0, +) / Double(values.count) }
        let own = entries.map { known["\($0.cell.suite)/\($0.cell.column)"] }
        let bySuite = Dictionary(grouping: entries.indices, by: { entries[$0].cell.suite }).compactMapValues {
            mean($0.compactMap { own[$0] })
        }
        let overall = mean(own.compactMap(\.self)) ?? 1
        return entries.indices.map { own[$0] ?? bySuite[entries[$0].cell.suite] ?? overall }
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
        suite == MatrixConfiguration.ringFuzz ? [.kernel] : targets.flatMap { variants(of: $0, seed) }
    }

    /// The target with each set of mount options.
    private func variants(of target: TargetChoice, _ seed: UInt64) -> [TargetChoice] {
        guard let transport = target.transport, !mountOptions.isEmpty else { return [target] }
        return MountOptionSet.sets(mountOptions, on: transport, seed: seed).map {
            TargetChoice(transport: transport, mountOptions: $0)
        }
    }
}
