import Glibc
import LinuxSystem
import SystemPackage

extension Cycle {
    /// Remembers what the daemon holds before the load.
    func rememberResources() {
        guard let process = daemon?.process else { return }
        resourcesBefore = DaemonResources(process.id)
    }

    /// After the load has cleaned up behind itself: the daemon must hold what it held before.
    func checkResources() {
        guard let process = daemon?.process, let before = resourcesBefore else {
            return report(.leaks, .unavailable("the daemon's process is not known"))
        }
        guard let first = DaemonResources(process.id) else { return fail(.leaks, "the daemon is gone") }
        var growth = first.growth(since: before, allowedMemory: settings.allowedMemoryGrowth)
        // The kernel forgets inodes and releases files a moment after the clients are through, and workers end when idle.
        _ = Deadline(after: .seconds(2)).wait(upTo: .milliseconds(50)) {
            growth =
                DaemonResources(process.id)?.growth(since: before, allowedMemory: settings.allowedMemoryGrowth) ?? []
            return growth.isEmpty
        }
        if growth.isEmpty {
            report(.leaks, .passed)
        } else {
            fail(.leaks, "the daemon's \(growth.joined(separator: ", its "))")
        }
        checkSpin()
    }

    /// Without load the daemon must not use the processor.
    func checkSpin() {
        guard let process = daemon?.process, let before = ProcessID.stat(process.id.pid)?.ticks else { return }
        Deadline.sleep(.milliseconds(100))
        guard let after = ProcessID.stat(process.id.pid)?.ticks else { return }
        let perSecond = UInt64(max(1, sysconf(CInt(_SC_CLK_TCK))))
        // More than half of the time.
        if (after - before) * 20 > perSecond {
            fail(.leaks, "the idle daemon used \((after - before) * 1000 / perSecond) ms of processor time in 100 ms")
        }
    }

    /// Without load: every request was ended; and with a daemon that tells, every one was committed, the counts agree with
    /// the kernel's, and every entry is free again.
    func checkTransport() {
        guard let daemon, let connection = daemon.connection, !hung else { return }
        let idle = Deadline(after: min(limit, .seconds(5))).wait { (connection.waiting ?? 0) == 0 }
        if !idle {
            return fail(.transport, "\(connection.waiting ?? 0) requests wait although no client works any more")
        }
        guard let counters, target.isOurs else { return }
        // What the kernel counts and what the daemon counts are read at different moments: until both agree, or never will.
        var problems: [String] = []
        let agreed = Deadline(after: .seconds(2)).wait(upTo: .milliseconds(100)) {
            guard let (statistics, text) = DaemonStatistics.ask(daemon, bench: bench) else {
                problems = ["the daemon does not tell its statistics"]
                return false
            }
            problems = compare(statistics, with: counters)
            if !problems.isEmpty { statisticsText = text }
            return problems.isEmpty
        }
        if !agreed {
            saveEvidence("stats-at-check.json", statisticsText)
            fail(.transport, problems.joined(separator: "; "))
        }
    }

    private func compare(_ statistics: DaemonStatistics, with counters: RequestCounters) -> [String] {
        var problems: [String] = []
        if statistics.fetched != statistics.committed {
            problems.append("fetched \(statistics.fetched) requests, committed \(statistics.committed)")
        }
        for queue in statistics.queues {
            if queue.free != queue.depth {
                problems.append("queue \(queue.queue): \(queue.free) of \(queue.depth) entries are free")
            }
            if queue.fetched != queue.committed {
                problems.append("queue \(queue.queue): fetched \(queue.fetched), committed \(queue.committed)")
            }
        }
        let silent: Set<String> = ["FORGET", "BATCH_FORGET", "INTERRUPT", "INIT"]
        let answered = statistics.opcodes.filter { !silent.contains($0.name) }
        let total = answered.reduce(0) { $0 + $1.ring + $1.device }
        // Counting began when the mount was seen: a few first requests were answered before.
        let ended = counters.endedCount
        if total < ended || total > ended + 16 {
            problems.append("the daemon says that it answered \(total) requests, the kernel counted \(ended)")
        }
        if target.transport?.usesRing == true {
            let onDevice = answered.reduce(0) { $0 + $1.device }
            let onRing = answered.reduce(0) { $0 + $1.ring }
            if onDevice > 0 { problems.append("\(onDevice) requests travelled on /dev/fuse instead of the ring") }
            if let commands = counters.ringCommands, commands + 16 < onRing {
                problems.append(
                    "the daemon says that it answered \(onRing) requests on the ring, and submitted \(commands) commands"
                )
            }
        }
        return problems
    }

    /// Serves a folder of a filesystem of its own, whose power can be cut.
    func usePowerCutImage() {
        guard let image = powerCut?(Bool.random(using: &random) ? .ext4 : .xfs) else { return }
        self.image = image
        source = image.mountPoint.appending("source-\(bench.nextNumber())")
        mkdir(source.string, 0o755)
        // The folder itself must survive the power cut for what is in it to be found.
        _ = IsolatedCall.syncFileSystem(source.string).run()
    }
}
