/// How a guest ended.
package enum GuestOutcome: Equatable, Sendable {
    /// The job ended, with this status, as a shell has it.
    case ended(status: Int32)
    /// The kernel died: its report, from the console.
    case crashed(report: [String])
    /// The job said nothing for too long: the console's last lines, with the stacks that the kernel was asked for.
    case silent(console: [String])
    /// The job was not reached: the console's last lines, then QEMU's words.
    case neverBooted(console: [String], emulator: [String])
    /// The machine went away under the job, without a report of the kernel: a power off, or QEMU's own end.
    case vanished(console: [String], emulator: [String])
}

/// A machine whose kernel runs, and what it is made of.
package struct BootedMachine: Equatable, Sendable {
    /// As `uname -r` says it.
    package let release: String
    /// As `uname -v` says it: `#1 SMP …`.
    package let build: String
    /// The build id of its image, in hexadecimal digits; nil if it has none.
    package let buildID: String?
    /// The first half of its configuration's SHA-256, in hexadecimal digits; nil if it is not known.
    package let configuration: String?
    package let commandLine: String
    /// `QEMU 10.0.2`.
    package let emulator: String
    /// `kvm`, `tcg`, or `tcg, counting instructions`.
    package let accelerator: String
    package let cpus: Int
    /// In MiB.
    package let memory: Int
}

/// A guest's end, and what ran it.
package struct GuestReport: Sendable {
    package let outcome: GuestOutcome
    /// As `uname -r` says it; nil if it did not boot.
    package let release: String?
    /// Until the job began; nil if it did not.
    package let boot: Duration?

    package init(outcome: GuestOutcome, release: String?, boot: Duration?) {
        (self.outcome, self.release, self.boot) = (outcome, release, boot)
    }
}
