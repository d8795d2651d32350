public import BenchCore
import Glibc
public import LinuxSystem
import SystemPackage

/// One pass over a scenario on a target: what the scenario acts with, and what it found.
///
/// Used by one thread. Everything it starts, the runner ends.
public final class Cycle {
    public let target: Target
    /// Drives every choice of the cycle, so that its seed repeats it.
    public var random: SplitMix64
    /// Counts up from cycle to cycle; what is left of it for the next choice.
    private var turn: UInt64
    /// What must come of the act; set by the scenario.
    public var expect = Expectation()

    let bench: Workbench
    let settings: StopPathSettings
    let depth: Int?
    /// The folder that is served, the mount point, and a folder for what belongs to neither.
    var source: FilePath
    let mountPoint: FilePath
    let scratch: FilePath
    let evidence: Evidence
    let kernelLog = KernelLog()
    let started = ContinuousClock.now

    private(set) var daemon: MountedDaemon?
    private(set) var clients: [BenchClient] = []
    /// Other processes that the scenario started and that shall be gone at the end.
    var helpers: [ChildProcess] = []
    /// Daemons beside the one under test.
    var others: [MountedDaemon] = []
    private(set) var counters: RequestCounters?
    private(set) var countersObstacle = "no daemon was mounted"
    private(set) var reports: [OracleReport] = []
    private(set) var files: [String] = []
    /// The first client of the present mount: those before it have had their end.
    private var round = 0
    /// What is made through the mount is seen in the source by the same name.
    private(set) var sourceShowsFiles: Bool
    /// A hidden failure would only repeat the first one's evidence.
    private var hasEvidence = false
    /// From here on the daemon may end.
    private var hasActed = false
    /// Something did not end within the deadline.
    var hung = false
    /// What the daemon held before the load.
    var resourcesBefore: DaemonResources?
    var statisticsText = ""
    /// Gives a filesystem whose power can be cut, or why there is none.
    var powerCut: ((PowerCutImage.Kind) -> Result<PowerCutImage, ScenarioObstacle>)?
    /// Why the power cut that the scenario wants cannot be had.
    var powerCutObstacle: String?
    /// The one that the source lies on.
    var image: PowerCutImage?

    /// What the fuses are long: one for everything that must end.
    /// Once something has hung, the rest gets a moment only: a wedged daemon costs one deadline.
    var limit: Duration { bench.pace(hung ? min(settings.timeout, .milliseconds(500)) : settings.timeout) }

    init(
        target: Target, seed: UInt64, turn: UInt64, depth: Int?, settings: StopPathSettings, bench: Workbench,
        source: FilePath,
        mountPoint: FilePath, scratch: FilePath, evidence: Evidence
    ) {
        self.target = target
        self.depth = depth
        self.settings = settings
        self.bench = bench
        self.source = source
        self.mountPoint = mountPoint
        self.scratch = scratch
        self.evidence = evidence
        self.turn = turn
        sourceShowsFiles = target.isOurs
        random = SplitMix64(seed: seed)
    }

    /// One of a few ways to go on. Cycles take turns, so that a few of them have gone all ways: what one way alone shows is then
    /// found in every run or in none.
    func choose<Choice>(_ choices: [Choice]) -> Choice {
        defer { turn /= UInt64(choices.count) }
        return choices[Int(turn % UInt64(choices.count))]
    }

    // MARK: Findings

    func report(_ oracle: Oracle, _ verdict: OracleReport.Verdict) {
        reports.append(OracleReport(oracle: oracle, verdict: verdict))
    }

    /// How the daemon ended before anything was done to it: the finding, of which the others are consequences.
    private(set) var death: ExitStatus?
    /// What a daemon that died by itself takes along, and what therefore cannot be told.
    private static let consequences: Set<Oracle> = [.reaped, .errors, .transport, .leaks, .mountGone, .newMount]

    /// The oracle found something wrong; the first time the evidence is saved, while it is still there.
    func fail(_ oracle: Oracle, _ message: String) {
        if oracle != .exit, !expect.connectionEnds { checkDaemonIsAlive() }
        if death != nil, Cycle.consequences.contains(oracle), !hung {
            return report(oracle, .unavailable("the daemon had died"))
        }
        report(oracle, .failed(message))
        collectEvidence()
    }

    func collectEvidence() {
        if hasEvidence { return }
        hasEvidence = true
        if let daemon { files += daemon.collect(into: evidence, clients: clients.map(\.process) + helpers) }
        files.append(evidence.save("clients", clients.map { "\($0.description): \(describe($0))\n" }.joined()))
        if let daemon, target.isOurs, daemon.process?.isRunning == true,
            let statistics = DaemonStatistics.ask(daemon, bench: bench)
        {
            files.append(evidence.save("stats.json", statistics.text))
        }
        if let slabs = contents(of: "/proc/slabinfo") {
            let lines = slabs.split(separator: "\n").filter { $0.hasPrefix("fuse") || $0.hasPrefix("#") }
            files.append(evidence.save("slabinfo", lines.joined(separator: "\n") + "\n"))
        }
    }

    func saveEvidence(_ name: String, _ text: String) { files.append(evidence.save(name, text)) }

    private func describe(_ client: BenchClient) -> String {
        guard let status = client.status else { return "no status" }
        let errors = status.errors.map { "\($0.key.name) \($0.value)" }.sorted().joined(separator: ", ")
        return
            "\(status.operations) operations, \(status.synced) fsynced, \(status.mismatches) mismatches, errors: \(errors)"
    }

    // MARK: Bringing up

    /// Mounts the target's daemon, and counts its requests from then on.
    ///
    /// - Throws: ``DaemonError``.
    @discardableResult
    func mount(
        fault: String? = nil, options: [String] = [], prefix: [String] = [], source: FilePath? = nil,
        until stage: MountedDaemon.Stage = .ready
    ) throws(DaemonError) -> MountedDaemon {
        let result = try start(fault: fault, options: options, prefix: prefix, source: source, until: stage)
        daemon = result
        round = clients.count
        if let connection = result.connection {
            do throws(RequestCounters.Unavailable) {
                counters = try RequestCounters(connection: connection, daemon: result.process?.id)
            } catch {
                countersObstacle = error.reason
            }
        }
        return result
    }

    /// Mounts one more daemon of the target's kind: on the cycle's mount point, or elsewhere.
    func start(
        fault: String? = nil, options: [String] = [], prefix: [String] = [], source: FilePath? = nil,
        mountPoint: FilePath? = nil, until stage: MountedDaemon.Stage = .ready
    ) throws(DaemonError) -> MountedDaemon {
        var target = target
        if target.isOurs, let depth = depth ?? settings.depth, target.transport?.usesRing == true {
            target.options += ["--depth", "\(depth)"]
        }
        target.options += options
        if let fault { target.fault = fault }
        target.prefix = prefix
        return try MountedDaemon.start(
            target, source: source ?? self.source, mountPoint: mountPoint ?? self.mountPoint, bench: bench,
            log: scratch.appending("daemon.log"), until: stage, within: limit)
    }

    /// Starts load clients, spread over the CPUs and so over the kernel's queues, and waits until each has done some work.
    ///
    /// - Parameters:
    ///   - kind: nil for the one that was asked for on the command line.
    ///   - perCPU: clients for each CPU.
    ///   - prefix: a command that the client's own is appended to (`unshare --mount`).
    func startLoad(_ kind: LoadKind? = nil, perCPU: Int = 2, prefix: [String] = [], waiting: Bool = true) throws(Errno)
    {
        guard let daemon else { return }
        let cpus = Cycle.places(perCPU, among: cpus)
        let first = clients.count
        let kinds: [LoadKind] = [.mixed, .read, .write, .metadata, .mmap]
        for index in 0..<cpus.count * perCPU {
            let id = bench.nextNumber()
            // A mixed load is mixed among the clients, too.
            let kind = kind ?? (settings.load == .mixed ? kinds[index % kinds.count] : settings.load)
            let options = LoadClient.Options(
                kind: kind, root: daemon.root.string, id: id, seed: random.next(),
                status: scratch.appending("status-\(id)").string, ledger: scratch.appending("ledger-\(id)").string,
                cpu: cpus[index % cpus.count], connection: daemon.connection?.number)
            let process = try bench.spawn(prefix + [bench.program] + BenchHelper.load(options).arguments)
            clients.append(
                BenchClient(
                    index: clients.count, id: id, kind: kind, process: process, statusFile: FilePath(options.status),
                    ledger: FilePath(options.ledger)))
        }
        if waiting { waitForWork(clients[first...]) }
    }

    /// Clients that one load starts: on a large machine they would else be hundreds.
    private static let mostClients = 32

    /// The CPUs whose queues a load works on.
    static func places(_ perCPU: Int, among cpus: [Int]) -> [Int] {
        Array(cpus.prefix(max(1, mostClients / perCPU)))
    }

    /// CPUs that are there and that clients may run on, in the order in which loads take them: on a large machine others in each cycle,
    /// but the same for all loads of one. What is repeated to tell a leak from what fills once must not reach queues that were idle before.
    private(set) lazy var cpus: [Int] = {
        let usable = ((try? CPUSet.online()) ?? [0]).filter(CPUSet.allows)
        return usable.isEmpty ? [0] : usable.shuffled(using: &random)
    }()

    /// What an error of a dead connection tells of one whose daemon is alive and whose mount is there.
    private func endedByOthers(_ error: Errno) -> String {
        let isDead = [.socketNotConnected, .connectionAbort].contains(error)
        guard isDead, let daemon, daemon.isMounted, daemon.process?.isRunning == true else { return "" }
        return ": its connection was aborted by the kernel or by somebody else, the daemon lives"
    }

    /// Every client has done some work, or the cycle has failed.
    private func waitForWork(_ clients: ArraySlice<BenchClient>) {
        for client in clients {
            let works = waits(for: client) {
                client.status.map { $0.isWorking && $0.operations > 20 } ?? false || !client.process.isRunning
            }
            if !works || !client.process.isRunning {
                hung = hung || !works
                checkDaemonIsAlive()
                // An error that it got is what to say; that it could not go on then is no second finding.
                if let (operation, error) = client.status?.firstError {
                    let cause = endedByOthers(error)
                    fail(
                        .errors, "\(client.kind) client got \(error.name) in \(LoadOperation.name(operation))\(cause)")
                } else {
                    fail(.reaped, "\(client.description) did not get to work: \(describe(client))")
                }
                return
            }
            noteWhatTheSourceShows(of: client)
        }
    }

    func noteWhatTheSourceShows(of client: BenchClient) {
        sourceShowsFiles = sourceShowsFiles || LoadFiles.areSeen(in: source, client: client.id)
    }

    // MARK: Waiting

    /// Whether a client comes to something within the limit, or within some limits more as long as it is seen to get on.
    private func waits(for client: BenchClient, _ condition: () -> Bool) -> Bool {
        for _ in 0...ProcessActivity.patience {
            let standstill = standstill(of: client)
            if Deadline(after: limit).wait(upTo: .milliseconds(2), for: condition) { return true }
            if hung || !isGettingOn([client.process], isPassedOver: standstill.isPassedOver) { break }
        }
        // It may have come while somebody looked.
        return condition()
    }

    /// Whether processes that should have come to their end are slow and do not hang.
    private func isGettingOn(_ processes: [ChildProcess], isPassedOver: Bool = false) -> Bool {
        let daemons = [daemon?.process?.id.pid].compactMap(\.self)
        let activity = ProcessActivity(of: processes.map(\.id.pid), servedBy: daemons)
        return activity.isSeen(isPassedOver: isPassedOver)
    }

    /// Looks from now on whether the other clients get answers while this one gets none.
    private func standstill(of client: BenchClient) -> Standstill {
        let others = clients[round...].filter { $0.id != client.id && $0.process.isRunning }
        return Standstill(of: [client.process.id.pid], beside: others.map { [$0.process.id.pid] })
    }

    /// How the daemon ended; nil if it does not within the limit, nor works at it after that.
    func end(of process: ChildProcess) -> ExitStatus? {
        for _ in 0...ProcessActivity.patience {
            if let status = process.wait(limit) { return status }
            if hung || !ProcessActivity(of: [], servedBy: [process.id.pid]).isSeen() { break }
        }
        return process.exitStatus
    }

    // MARK: Acting

    /// Waits for a moment that the seed chooses.
    func pause(upTo milliseconds: Int? = nil) {
        let longest = milliseconds ?? settings.longestPause
        Deadline.sleep(.microseconds(Int.random(in: 0...max(1, longest * 1000), using: &random)))
    }

    /// Ends the connection, or asks the daemon to.
    ///
    /// A daemon may use its own mount for a moment (libfuse looks at its root), and a file's release comes late: an unmount
    /// that is refused is tried again. One that stays refused is no act, and nothing can be said of the daemon's end.
    func act(_ method: StopMethod, on daemon: MountedDaemon) {
        guard method == .unmount else {
            daemon.begin(method, within: limit)
            return
        }
        guard let error = unmountIdle(daemon) else { return }
        hung = hung || error == .timedOut
        expect.exit = .any
        fail(.mountGone, "umount(2) was refused for \(limit.seconds) s with \(error.name), although no client is left")
    }

    /// Unmounts, and tries again as long as the mount is busy.
    func unmountIdle(_ daemon: MountedDaemon) -> Errno? {
        var error: Errno?
        _ = Deadline(after: limit).wait(upTo: .milliseconds(20)) {
            error = daemon.unmount(within: limit)
            return error != .resourceBusy
        }
        return error
    }

    /// Requests are no longer counted from here on, for this reason.
    func stopCounting(because reason: String) {
        counters = nil
        countersObstacle = reason
    }

    /// Right before the act: until here no client may have seen an error or have stopped.
    func aboutToAct() {
        checkDaemonIsAlive()
        defer { hasActed = true }
        if reports.contains(where: \.isFailure) { return }
        for client in clients[round...] {
            guard let status = client.status else { continue }
            for (errno, count) in status.errors where errno != .interrupted {
                let cause = endedByOthers(errno)
                fail(.errors, "\(client.description) got \(errno.name) \(count)× before anything was done\(cause)")
            }
            if !client.process.isRunning { fail(.reaped, "\(client.description) ended before anything was done") }
        }
    }

    /// The load is over; what ends the daemon from here on is an act.
    func endOfLoad() {
        checkDaemonIsAlive()
        hasActed = true
    }

    private func checkDaemonIsAlive() {
        guard !hasActed, death == nil, let daemon, let process = daemon.process else { return }
        // Clients are told of an end a moment before the parent is.
        let isGone = !daemon.isConnected
        guard let status = process.wait(isGone ? bench.pace(.seconds(1)) : .zero) else { return }
        death = status
        fail(
            .exit,
            "the daemon (pid \(process.id)) ended by itself, before anything was done: \(status)"
                + lastWords(daemon.logTail))
    }

    /// Ends clients, as part of the act or after it.
    func kill(_ clients: some Sequence<BenchClient>) {
        for client in clients {
            expect.killedClients.insert(client.index)
            expectDeath(of: client.process)
            client.process.signal(SIGKILL)
        }
    }

    /// A killed process may take requests back, which no longer count as lost.
    func expectDeath(of process: ChildProcess) {
        do throws(RequestCounters.Unavailable) {
            try counters?.expectDeath(of: process.id)
        } catch {
            stopCounting(because: error.reason)
        }
    }

    /// Stops the load; its clients must clean up and end.
    func stopLoad() {
        for client in clients[round...] { client.process.signal(SIGTERM) }
        reap()
    }

    /// The load must be seen to go on for a while: each client completes operations.
    func expectProgress() {
        let clients = clients[round...]
        let then = clients.map { $0.status?.operations ?? 0 }
        for (client, operations) in zip(clients, then) where !expect.killedClients.contains(client.index) {
            if !waits(for: client, { (client.status?.operations ?? 0) > operations || !client.process.isRunning }) {
                hung = true
                fail(.reaped, "\(client.description) makes no progress")
            }
        }
    }

    /// Every client must end by the deadline.
    func reap() {
        let start = ContinuousClock.now
        var deadline = Deadline(after: limit)
        var extensions = 0
        for client in clients {
            while client.process.wait(until: deadline) == nil {
                // Slow is not hung.
                extensions += 1
                let running = clients.map(\.process).filter(\.isRunning)
                guard !hung, extensions <= ProcessActivity.patience, isGettingOn(running) else {
                    // It may have ended while somebody looked.
                    if !client.process.isRunning { break }
                    hung = true
                    fail(
                        .reaped,
                        "\(client.description) did not end within \(Int((ContinuousClock.now - start).seconds)) s")
                    break
                }
                deadline = Deadline(after: limit)
            }
        }
    }

    /// Whether this errno may have been seen by this client.
    func isAllowed(_ errno: Errno) -> Bool {
        // Linux ends a request with ECANCELED that was on its way to a ring whose thread is gone, and with EINTR if the
        // thread was just being killed: its memory, which the request goes into, cannot be pinned any more.
        expect.allowedErrors.contains(errno)
            || (errno == .canceled || errno == .interrupted) && mayUseRing && expect.connectionEnds
    }

    /// Whether requests may travel on a ring. Of a foreign daemon it is not known.
    var mayUseRing: Bool { target.transport?.usesRing ?? true }
}
