import BenchCore

/// One way for a connection to end. Numbers and names are those of the catalogue in `docs/stop-path.md`.
public protocol Scenario: Sendable {
    var number: Int { get }
    var name: String { get }
    /// What is done, in one line.
    var summary: String { get }
    /// What is checked after a cycle.
    var oracles: Set<Oracle> { get }
    var needs: Needs { get }
    /// Entries of each queue, where the scenario wants them to be few or many.
    var depth: Int? { get }
    /// Brings up what it needs, acts, and says through ``Cycle/expect`` what must come of it. The runner then ends the
    /// cycle and asks the oracles.
    func run(_ cycle: Cycle) throws
}

extension Scenario {
    public var needs: Needs { [] }
    public var depth: Int? { nil }

    /// Why it cannot run on this target; nil if it can.
    func obstacle(on target: Target, settings: StopPathSettings) -> String? {
        if needs.contains(.hostChanges) && !settings.allowHostChanges {
            return "changes the host: needs --allow-host-changes"
        }
        if needs.contains(.fault) {
            if !target.isOurs { return "needs --fault" }
            if !settings.allowFaults { return "has the daemon misbehave: needs --allow-faults" }
        }
        if needs.contains(.ring), target.transport == .legacy { return "is about the ring" }
        return nil
    }
}

/// What a scenario cannot do without.
public struct Needs: OptionSet, Sendable {
    public let rawValue: Int

    public init(rawValue: Int) { self.rawValue = rawValue }

    /// A transport over io_uring. Of a foreign daemon it is taken for granted.
    public static let ring = Needs(rawValue: 1)
    /// A daemon that can be told to misbehave.
    public static let fault = Needs(rawValue: 2)
    /// Settings of the whole machine, which only `--allow-host-changes` permits.
    public static let hostChanges = Needs(rawValue: 4)
}

/// Something that a scenario could not bring about: the cycle has then shown nothing.
struct ScenarioObstacle: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
