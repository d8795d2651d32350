import BenchCore
import Glibc
import LinuxSystem
import SystemPackage

extension Cycle {
    /// Remembers what the daemon holds before the load.
    func rememberResources() {
        guard let daemon, let process = daemon.process else { return }
        // A mount can be used a moment before its daemon has started its last thread, which tells the statistics; one that is short of
        // descriptors never does.
        if target.isOurs {
            _ = Deadline(after: bench.pace(.seconds(1))).wait { DaemonStatistics.ask(daemon, bench: bench) != nil }
        }
        resourcesBefore = DaemonResources(process.id)
    }

    /// After the load has cleaned up behind itself: the daemon must hold what it held before. What it grows to once and keeps,
    /// such as workers and their pipes, is no leak: what has grown must grow once more with the same load.
    func checkResources(after load: () throws -> Void) {
        guard let process = daemon?.process, let before = resourcesBefore else {
            return report(.leaks, .unavailable("the daemon's process is not known"))
        }
        var growth = growth(of: process.id, since: before)
        for _ in 0..<2 where !growth.isEmpty && reports.allSatisfy({ !$0.isFailure }) {
            guard let now = DaemonResources(process.id),
                now.anonymous < before.anonymous + settings.allowedMemoryGrowth,
                (try? load()) != nil
            else { break }
            stopLoad()
            growth = self.growth(of: process.id, since: now)
        }
        if growth.isEmpty {
            report(.leaks, .passed)
        } else {
            fail(.leaks, "the daemon's \(growth.joined(separator: ", its "))")
        }
        checkSpin()
    }

    /// With all clients left alone, the kernel must take every reply of the daemon.
    func countRefusals(during load: () throws -> Void) throws {
        guard let process = daemon?.process else { return try load() }
        do throws(RequestCounters.Unavailable) {
            let refusals = try RefusedReplies(of: process.id)
            do { try load() } catch { return fail(.reaped, "\(error)") }
            let count = refusals.count
            if count > 0 { fail(.transport, "the kernel refused \(count) of the daemon's replies") }
        } catch {
            report(.transport, .unavailable("refused replies: \(error.reason)"))
        }
    }

    private func growth(of process: ProcessID, since before: DaemonResources) -> [String] {
        var growth: [String] = []
        // The kernel forgets inodes and releases files a moment after the clients are through, and workers end when idle.
        _ = Deadline(after: bench.pace(.seconds(2))).wait(upTo: .milliseconds(50)) {
            let now = DaemonResources(process)
            growth = now?.growth(since: before, allowedMemory: settings.allowedMemoryGrowth) ?? ["process is gone"]
            return growth.isEmpty
        }
        return growth
    }

    /// Without load no thread of the daemon may want the processor for most of the time, whether or not it gets it: on a
    /// busy machine a thread that spins does not run all the time, but it is always runnable.
    ///
    /// One that waited long for a busy processor has its wait booked when it runs at last, which may be later than it
    /// waited: only a thread that wants the processor in each of several windows spins.
    func checkSpin() {
        guard let process = daemon?.process else { return }
        var spinning: [Int32: (wanted: Double, passed: Double)] = [:]
        for window in 0..<3 {
            let began = ContinuousClock.now
            let before = DaemonResources.runnableTime(of: process.id)
            Deadline.sleep(.milliseconds(200))
            let after = DaemonResources.runnableTime(of: process.id)
            let passed = (ContinuousClock.now - began).seconds
            let suspects = window == 0 ? Set(after.keys) : Set(spinning.keys)
            spinning = [:]
            for (thread, time) in after where suspects.contains(thread) {
                let wanted = Double(time - (before[thread] ?? time)) / 1e9
                if wanted > passed / 2 { spinning[thread] = (wanted, passed) }
            }
            if spinning.isEmpty { return }
        }
        for (thread, time) in spinning {
            fail(
                .leaks,
                "thread \(thread) of the idle daemon was runnable for \(Int(time.wanted * 1000)) of"
                    + " \(Int(time.passed * 1000)) ms, for the third time"
            )
        }
    }

    /// Without load: every request was ended; and with a daemon that tells, every one was committed, the counts agree with
    /// the kernel's, and every entry is free again.
    ///
    /// - Parameter early: requests that may have travelled on `/dev/fuse` because the ring was not ready.
    func checkTransport(early: UInt64 = 0) {
        guard let daemon, let connection = daemon.connection, !hung else { return }
        let idle = Deadline(after: min(limit, bench.pace(.seconds(5)))).wait { (connection.waiting ?? 0) == 0 }
        if !idle {
            return fail(.transport, "\(connection.waiting ?? 0) requests wait although no client works any more")
        }
        guard target.isOurs else { return }
        // What the kernel counts and what the daemon counts are read at different moments: until both agree, or never will.
        var problems: [String] = []
        let agreed = Deadline(after: bench.pace(.seconds(3))).wait(upTo: .milliseconds(100)) {
            guard let (statistics, text) = DaemonStatistics.ask(daemon, bench: bench) else {
                problems = ["the daemon does not tell its statistics"]
                return false
            }
            problems = compare(statistics, with: counters, early: early)
            if !problems.isEmpty { statisticsText = text }
            return problems.isEmpty
        }
        if !agreed {
            saveEvidence("stats-at-check.json", statisticsText)
            fail(.transport, problems.joined(separator: "; "))
        }
    }

    private func compare(_ statistics: DaemonStatistics, with counters: RequestCounters?, early: UInt64) -> [String] {
        var problems: [String] = []
        if statistics.fetched != statistics.committed {
            problems.append("fetched \(statistics.fetched) requests, committed \(statistics.committed)")
        }
        for queue in statistics.queues {
            if queue.free != queue.capacity {
                problems.append("queue \(queue.queue): \(queue.free) of \(queue.capacity) entries are free")
            }
            if queue.fetched != queue.committed {
                problems.append("queue \(queue.queue): fetched \(queue.fetched), committed \(queue.committed)")
            }
        }
        let silent: Set<String> = ["FORGET", "BATCH_FORGET", "INTERRUPT", "INIT"]
        let answered = statistics.opcodes.filter { !silent.contains($0.name) }
        let total = answered.reduce(0) { $0 + $1.queued + $1.device }
        // Counting began when the mount was seen: a few first requests were answered before.
        if let ended = counters?.endedCount, total < ended || total > ended + 16 {
            problems.append("the daemon says that it answered \(total) requests, the kernel counted \(ended)")
        }
        if target.transport?.usesRing == true {
            let onDevice = answered.reduce(0) { $0 + $1.device }
            let onRing = answered.reduce(0) { $0 + $1.queued }
            if onDevice > early { problems.append("\(onDevice) requests travelled on /dev/fuse instead of the ring") }
            if let commands = counters?.ringCommands, commands + 16 < onRing {
                problems.append(
                    "the daemon says that it answered \(onRing) requests on the ring, and submitted \(commands) commands"
                )
            }
        }
        return problems
    }

    /// Serves a folder of a filesystem of its own, whose power can be cut.
    func usePowerCutImage() {
        // Making an XFS takes longer than all of a quick run's cycle.
        let kind = settings.isQuick || choose([true, false]) ? PowerCutImage.Kind.ext4 : .xfs
        switch powerCut?(kind) {
        case .success(let image):
            self.image = image
            source = image.mountPoint.appending("source-\(bench.nextNumber())")
            mkdir(source.string, 0o755)
            // The folder itself must survive the power cut for what is in it to be found.
            _ = IsolatedCall.syncFileSystem(source.string).run()
        case .failure(let obstacle): powerCutObstacle = obstacle.description
        case nil: break
        }
    }
}
