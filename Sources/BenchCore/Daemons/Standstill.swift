/// Whether somebody is passed over: waits for one and the same answer while others get theirs, again and again.
///
/// A daemon works for all of its clients, so that it works says nothing of one request. A request that is lost differs from one that
/// is only slow by what comes to the others meanwhile: who waits for a turn gets it in the end, and one among many gets about as many
/// as they.
public struct Standstill: Sendable {
    private let waited: [Int32]
    /// Groups of processes, one for each of the others.
    private let others: [[Int32]]
    private let waitedBefore: UInt64
    private let othersBefore: [[Int32: UInt64]]

    /// So many answers each of half of the others had.
    private static let answers: UInt64 = 100

    /// Looks from now on.
    ///
    /// - Parameter others: clients of the same daemon, each with the processes that it consists of.
    public init(of waited: [Int32], beside others: [[Int32]]) {
        self.waited = waited
        self.others = others
        waitedBefore = Standstill.waits(of: waited).values.reduce(0, +)
        othersBefore = others.map(Standstill.waits)
    }

    /// The waiting came back from no wait since, and half of the others from very many.
    public var isPassedOver: Bool {
        guard Standstill.waits(of: waited).values.reduce(0, +) == waitedBefore else { return false }
        let gained = zip(others, othersBefore).map { processes, before in
            Standstill.waits(of: processes).reduce(0) { $0 + ($1.value - min($1.value, before[$1.key] ?? 0)) }
        }.sorted()
        return !gained.isEmpty && gained[gained.count / 2] >= Standstill.answers
    }

    /// How often each of them came back from a wait: once for each answer, at least.
    private static func waits(of processes: [Int32]) -> [Int32: UInt64] {
        Dictionary(processes.map { ($0, ProcessID.voluntarySwitches(of: $0)) }) { one, _ in one }
    }
}
