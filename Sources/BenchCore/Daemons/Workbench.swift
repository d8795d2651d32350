import CLinux
import Glibc
import LinuxSystem
import Synchronization
public import SystemPackage

/// One run of the bench: its temporary folder, its ledger, its output, and the children it starts. Everything that a suite makes
/// goes through it, so that nothing stays behind, however the run ends.
public final class Workbench: Sendable {
    /// The temporary folder: mount points, sources, images. Goes with the run.
    public let folder: FilePath
    public let ledger: Ledger
    public let evidence: Evidence
    /// Whether all that was written into the output folder is there.
    public let keeping = ResultsKeeping()
    /// This project's program, for daemons, clients and probes.
    public let program: String
    /// What this run's deadlines are stretched by; its children are told.
    public var pace: Pace { lastPace.withLock { $0.pace } }
    private let lastPace: Lock<(pace: Pace, since: ContinuousClock.Instant)>
    /// Somebody said it: it is not measured.
    private let isPaceTold: Bool
    private let isClosing = Atomic<Bool>(false)
    private let isInterrupted = Atomic<Bool>(false)
    /// Its processes are being killed: what ends now says nothing about a test.
    package var isBeingClosed: Bool { isClosing.load(ordering: .acquiring) }
    private let lastNumber = Atomic<UInt64>(0)

    /// - Parameters:
    ///   - output: where evidence and reports go.
    ///   - program: this project's program; by default the one that runs.
    ///   - temporary: where the temporary folder is made; by default TMPDIR or `/tmp`.
    ///   - pace: by default this machine's.
    /// - Throws: the errno of what could not be made.
    public init(
        output: FilePath, program: String? = nil, temporary: FilePath? = nil, pace: Pace? = nil
    ) throws(Errno) {
        let told = pace ?? Pace.told
        isPaceTold = told != nil
        lastPace = Lock((told ?? Pace.measured(), .now))
        ledger = try Ledger()
        evidence = Evidence(root: output, keeping: keeping)
        self.program = program ?? linkTarget("/proc/self/exe") ?? "/proc/self/exe"
        let base = temporary?.string ?? getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        // Mount points are compared with mountinfo, which knows no symbolic links.
        let resolved = realpath(base, nil)
        defer { free(resolved) }
        folder = FilePath(resolved.map { String(cString: $0) } ?? base).appending("fstestkit-\(ledger.run)")
        ledger.record(.folder(folder.string))
        _ = try Errno.check { [folder] in mkdir(folder.string, 0o755) }
        // Daemons that a mount helper leaves behind become children of the bench: their exit status can be read.
        _ = clinux_prctl(36 /* PR_SET_CHILD_SUBREAPER */, 1)
    }

    /// A new folder below the run's.
    ///
    /// - Throws: the errno of mkdir(2); ECANCELED once the run is being cleaned up.
    public func makeFolder(_ name: String) throws(Errno) -> FilePath {
        if isBeingClosed { throw .canceled }
        let path = folder.appending(name)
        _ = try Errno.check { mkdir(path.string, 0o755) }
        return path
    }

    /// Whether a process carries this run's mark.
    public func owns(_ process: ProcessID) -> Bool {
        process.wasStarted(with: "\(Ledger.variable)=\(ledger.run)")
    }

    /// Looks again how fast the machine is, if it has been long since: what else it does comes and goes, and a run takes hours.
    /// To be called where nobody waits for anything.
    public func reviewPace() {
        let isOld = lastPace.withLock { ContinuousClock.now - $0.since > .seconds(30) }
        if isPaceTold || !isOld { return }
        let pace = Pace.measured()
        lastPace.withLock { $0 = (pace, .now) }
    }

    /// 1, 2, 3 …: different for every call.
    public func nextNumber() -> UInt64 { lastNumber.add(1, ordering: .relaxed).newValue }

    /// What every child of this run is told: whose it is, and how much time things take.
    package var environment: [String: String] {
        [Ledger.variable: ledger.run, Pace.variable: "\(pace.factor)"]
    }

    /// Starts a child that is found again, whatever becomes of the bench.
    ///
    /// - Parameter isBench: it is a bench itself, and sees how fast the machine is when its turn comes.
    /// - Throws: the errno of posix_spawn(3); ECANCELED once the run is being cleaned up.
    public func spawn(
        _ command: [String], environment: [String: String] = [:], output: FilePath? = nil, errors: FilePath? = nil,
        isBench: Bool = false
    ) throws(Errno) -> ChildProcess {
        if isClosing.load(ordering: .acquiring) { throw .canceled }
        var marked = environment.merging(self.environment) { own, _ in own }
        if isBench, !isPaceTold { marked[Pace.variable] = nil }
        let child = try ChildProcess.spawn(command, environment: marked, output: output, errors: errors)
        ledger.record(.process(child.id, command: command.joined(separator: " ")))
        return child
    }

    /// Removes all that the run made; the output stays. Does not return after a signal: the process ends with that clean-up.
    @discardableResult
    public func close() -> Cleaner.Report {
        holdIfInterrupted()
        return cleanUp()
    }

    /// Does not return after a signal: what fails from then on fails because of the clean-up and is no result, and the
    /// process ends once that is done.
    package func holdIfInterrupted() {
        while isInterrupted.load(ordering: .acquiring) { Deadline.sleep(.seconds(1)) }
    }

    private func cleanUp() -> Cleaner.Report {
        isClosing.store(true, ordering: .releasing)
        return Cleaner(run: ledger.run, path: ledger.path.string).clean()
    }

    /// From now on SIGINT, SIGTERM and SIGHUP clean the run up and end the process with 128 plus the signal's number.
    ///
    /// To be called before other threads are started.
    public func closeOnSignals() {
        var signals = sigset_t()
        sigemptyset(&signals)
        for signal in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, signal) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self).toOpaque()
        pthread_create(&thread, nil, waitForSignal, context)
        pthread_detach(thread)
    }

    fileprivate func closeBecause(of signal: Int32) -> Never {
        let notice = "fstestkit: \(signalName(signal)): cleaning up\n"
        _ = write(2, notice, notice.utf8.count)
        isInterrupted.store(true, ordering: .releasing)
        let report = cleanUp()
        for failure in report.failures {
            let line = "fstestkit: left behind: \(failure)\n"
            _ = write(2, line, line.utf8.count)
        }
        _exit(128 + signal)
    }
}

/// The body of the thread that waits for the signals.
private nonisolated func waitForSignal(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    let bench = Unmanaged<Workbench>.fromOpaque(context!).takeRetainedValue()
    var signals = sigset_t()
    sigemptyset(&signals)
    for signal in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, signal) }
    var signal: Int32 = 0
    while sigwait(&signals, &signal) != 0 {}
    bench.closeBecause(of: signal)
}
