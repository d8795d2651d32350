import BenchCore
import Faults
import StopPathSuite
import Testing

/// A fault of the daemon, the cycle that must notice it, and the oracles that may say so.
struct FaultCase: Sendable, CustomTestStringConvertible {
    let fault: Fault
    let transport: TransportName
    let scenario: String
    /// The one that must fire.
    let oracle: Oracle
    /// Others that may fire as a consequence.
    let consequences: Set<Oracle>
    /// Without `--quick`: the power cut is needed.
    let isThorough: Bool
    /// A race is not met in each.
    let cycles: Int

    init(
        _ fault: Fault, _ transport: TransportName, _ scenario: String, _ oracle: Oracle,
        consequences: Set<Oracle> = [], isThorough: Bool = false, cycles: Int = 1
    ) {
        self.fault = fault
        self.transport = transport
        self.scenario = scenario
        self.oracle = oracle
        self.consequences = consequences
        self.isThorough = isThorough
        self.cycles = cycles
    }

    var testDescription: String { "\(fault.rawValue) in \(scenario) on \(transport.rawValue)" }

    /// As the table of `docs/stop-path.md` has it.
    var row: [String] {
        ["`\(fault.rawValue)`", fault.summary, transport.rawValue, scenario, oracle.label]
    }

    /// A client that never gets its answer keeps everything else from ending, too.
    private static let stuck: Set<Oracle> = [.reaped, .transport, .leaks, .exit, .mountGone, .errors]
    private static let busy = "unmount-busy-then-idle"

    static let all: [FaultCase] = [
        FaultCase(.neverCommit, .uringPercore, busy, .reaped, consequences: stuck),
        FaultCase(.neverCommit, .legacy, busy, .reaped, consequences: stuck),
        FaultCase(.commitTwice, .uringPercore, busy, .exit, consequences: stuck),
        FaultCase(.wrongQueue, .uringPercore, busy, .reaped, consequences: stuck),
        FaultCase(.leakEntry, .uringPercore, busy, .transport),
        FaultCase(.queueNeverRegisters, .uringPercore, busy, .newMount),
        FaultCase(.queueDies, .uringPercore, busy, .exit, consequences: stuck),
        FaultCase(.forgetWakeUp, .uringPercore, "idle-sigterm", .exit),
        FaultCase(.skipUnmount, .legacy, "idle-sigterm", .mountGone),
        FaultCase(.exitBeforeDraining, .uringPercore, "idle-sigterm", .mountGone),
        FaultCase(.ignoreSignals, .legacy, "idle-sigterm", .exit, consequences: [.mountGone]),
        FaultCase(.unmountStranger, .legacy, "late-second-unmount", .mountGone),
        FaultCase(.wrongExitStatus, .legacy, "idle-sigterm", .exit),
        FaultCase(.removeMountPoint, .legacy, "unmount-vs-register", .newMount),
        FaultCase(.logAlarm, .uringSingle, "idle-sigterm", .kernelLog),
        FaultCase(.childHoldsDevice, .legacy, "kill9-under-io", .reaped, consequences: stuck),
        FaultCase(.holdReplies, .uringSingle, busy, .reaped, consequences: stuck),
        FaultCase(.crashInDispatch, .legacy, busy, .exit),
        FaultCase(.spuriousError, .legacy, busy, .errors, consequences: stuck),
        FaultCase(.wrongData, .uringPercore, "entry-reuse", .stored, consequences: [.reaped, .leaks, .errors]),
        FaultCase(.lostWrite, .legacy, "entry-reuse", .stored, consequences: [.reaped, .leaks, .errors]),
        FaultCase(.lostSync, .uringPercore, "kill9-under-io", .stored, isThorough: true),
        FaultCase(.leakDescriptor, .legacy, busy, .leaks),
        FaultCase(.leakThread, .uringSingle, busy, .leaks),
        FaultCase(.leakBuffer, .legacy, "no-reply-storm", .leaks),
        FaultCase(.leakLittle, .legacy, "equal-rounds", .leaks),
        FaultCase(.leakThread, .uringPercore, "equal-rounds", .leaks),
        FaultCase(.leakDescriptor, .uringSingle, "equal-rounds", .leaks),
        FaultCase(.duplicateCommit, .uringPercore, "equal-rounds", .transport),
        FaultCase(.stall, .uringPercore, "equal-rounds", .reaped),
        FaultCase(.spin, .legacy, busy, .leaks),
        FaultCase(.releaseUnanswered, .legacy, busy, .transport, consequences: stuck),
        FaultCase(.stuckAtDepthOne, .uringPercore, "stop-at-depth-1", .exit),
        FaultCase(.stuckShortOfMemory, .legacy, "address-space-limit", .exit, consequences: stuck),
        FaultCase(.forgetsTooMuch, .uringPercore, "notification-storm", .errors, consequences: stuck, cycles: 10),
        FaultCase(.miscount, .uringPercore, busy, .transport),
    ]
}
