/// The kernel log's alarms, by whose they are. A report names the process that it struck, or nobody.
public struct KernelAlarms: Sendable {
    /// They name a process of this run; or nobody that is known, while no other run was at work on this machine.
    public private(set) var own: [KernelLog.Record] = []
    /// They name nobody that is known, while another run was at work.
    public private(set) var untold: [KernelLog.Record] = []
    /// They name a process of somebody else's.
    public private(set) var others: [KernelLog.Record] = []

    init() {}

    init(
        _ found: [(record: KernelLog.Record, process: Int32?)], of run: Ledger, mine: Set<Int32>,
        otherRunsBefore: Set<String>, runs: [Cleaner] = Cleaner.ledgers()
    ) {
        // A run that is over has taken its ledger along; a matrix is no other run than its suites.
        let others = runs.filter { $0.run != run.run && !$0.startedProcesses.contains(.current) }
        let isAlone = otherRunsBefore.isSubset(of: runs.map(\.run)) && !others.contains(where: \.isBenchAlive)
        func processes(_ runs: [Cleaner]) -> Set<Int32> { Set(runs.flatMap(\.startedProcesses).map(\.pid)) }
        let ours = mine.union(processes(runs.filter { $0.run == run.run }))
        let theirs = processes(others)
        let names = Set(runs.filter { $0.run == run.run }.flatMap(\.programs))
        for (record, process) in found {
            // The kernel names threads.
            let leader = process.flatMap(ProcessID.leader)
            let name = leader ?? process
            if let name, ours.contains(name) {
                own.append(record)
            } else if let name, theirs.contains(name) {
                self.others.append(record)
            } else if let leader, !KernelAlarms.isAnybodys(leader) {
                let isOurs = ProcessID(leader).wasStarted(with: "\(Ledger.variable)=\(run.run)")
                isOurs ? own.append(record) : self.others.append(record)
            } else if leader == nil, let name = record.hungTask, !names.contains(name) {
                // Told minutes after it began, of a process that has gone by now and is called like none of this run.
                self.others.append(record)
            } else {
                isAlone ? own.append(record) : untold.append(record)
            }
        }
    }

    /// Kernel threads work for everybody.
    private static func isAnybodys(_ process: Int32) -> Bool {
        (contents(of: "/proc/\(process)/cmdline") ?? "").isEmpty
    }
}
