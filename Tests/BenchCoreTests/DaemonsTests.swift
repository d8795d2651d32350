import CLinux
import Glibc
import LinuxSystem
import SystemPackage
import Testing

@testable import BenchCore

@Suite struct DaemonsTests {
    @Test func mountsBelowAFolderComeTopmostFirst() {
        let lines = ["1 0 0:1 / /a rw - fuse x rw", "2 1 0:2 / /a rw - fuse y rw", "3 1 0:3 / /ab rw - fuse z rw"]
        let table = lines.compactMap { MountTable.parse($0) }
        #expect(MountTable.mounts(below: "/a", in: table).map(\.mountID) == [2, 1])
    }

    @Test func commandWords() {
        #expect(Target.words(#"a "b c" d\ e '' 'x"y'"#) == ["a", "b c", "d e", "", "x\"y"])
        let target = Target(.command("bindfs -f {source} {mountpoint}"))
        #expect(target.label == "bindfs")
        #expect(target.command(program: "p", source: "/s s", mountPoint: "/m") == ["bindfs", "-f", "/s s", "/m"])
    }

    @Test func kernelLogRecord() throws {
        let record = try #require(KernelLog.parse("4,812,61234567,-;WARNING: CPU: 1 PID: 3\n SUBSYSTEM=x\n"))
        #expect(record.level == 4 && record.sequence == 812 && record.message == "WARNING: CPU: 1 PID: 3")
    }

    @Test func kernelReportsNameTheirProcess() {
        #expect(KernelLog.processNamed(in: "CPU: 1 UID: 0 PID: 4711 Comm: ls Not tainted") == 4711)
        #expect(KernelLog.processNamed(in: "INFO: task a b:12 blocked for more than 120 seconds.") == 12)
        #expect(KernelLog.processNamed(in: "WARNING: at fs/fuse/dev.c:1") == nil)
    }

    @Test func anAlarmIsItsProcesss() throws {
        func alarms(
            _ process: Int32?, _ run: Ledger, beside others: [Ledger], _ message: String = "BUG:",
            before: Set<String> = []
        ) -> String {
            let record = KernelLog.Record(level: 4, sequence: 1, time: 1, message: message)
            let runs = ([run] + others).map { Cleaner(run: $0.run, path: $0.path.string) }
            let found = KernelAlarms([(record, process)], of: run, mine: [], otherRunsBefore: before, runs: runs)
            return found.own.isEmpty ? found.others.isEmpty ? "untold" : "others" : "own"
        }
        let (run, other) = (try Ledger(), try Ledger())
        defer { for ledger in [run, other] { ledger.remove() } }
        let children = try (0..<3).map { _ in try ChildProcess.spawn(["sleep", "60"]) }
        defer { for child in children { child.kill() } }
        run.record(.process(children[0].id, command: "sleep"))
        other.record(.process(children[1].id, command: "sleep"))
        // A report by the process that it names: of this run, of another's, of nobody's run.
        #expect(alarms(children[0].id.pid, run, beside: [other]) == "own")
        #expect(alarms(children[1].id.pid, run, beside: [other]) == "others")
        #expect(alarms(children[2].id.pid, run, beside: []) == "others")
        // A daemon that is gone is in its run's ledger still.
        for child in children { child.kill() }
        #expect(alarms(children[0].id.pid, run, beside: [other]) == "own")
        #expect(alarms(children[1].id.pid, run, beside: [other]) == "others")
        // Nobody is named, or nobody that is known: this run's if no other was at work, before or now.
        #expect(alarms(nil, run, beside: []) == "own")
        #expect(alarms(children[2].id.pid, run, beside: []) == "own")
        #expect(alarms(nil, run, beside: [other]) == "untold")
        #expect(alarms(nil, run, beside: [], before: ["17-18-1"]) == "untold")
        // Somebody who hung minutes ago and has gone: by what it was called.
        let gone = children[2].id.pid
        #expect(alarms(gone, run, beside: [], "INFO: task bash:\(gone) blocked for more than 120 seconds.") == "others")
        #expect(alarms(gone, run, beside: [], "INFO: task sleep:\(gone) blocked for more than 120 seconds.") == "own")
    }

    @Test func aThreadsProcess() throws {
        #expect(ProcessID.leader(of: getpid()) == getpid())
        #expect(ProcessID.leader(of: clinux_gettid()) == getpid())
        #expect(ProcessID.leader(of: Int32.max) == nil)
    }

    @Test func childStatusAndDeadline() throws {
        let quick = try ChildProcess.spawn(["sh", "-c", "exit 7"])
        #expect(quick.wait(.seconds(10)) == .exited(7))
        let slow = try ChildProcess.spawn(["sh", "-c", "sleep 100 & sleep 100"])
        #expect(slow.wait(.milliseconds(50)) == nil)
        #expect(slow.groupMembers.count >= 1)
        #expect(slow.kill())
        #expect(slow.exitStatus == .signalled(9, coreDumped: false))
        #expect(Deadline(after: .seconds(5)).wait { slow.groupMembers.isEmpty })
        #expect(throws: (any Error).self) { try ChildProcess.spawn(["/no/such/program"]) }
    }

    @Test func isolatedCallTellsErrno() throws {
        #expect(IsolatedCall.stat("/").run() == nil)
        #expect(IsolatedCall.stat("/no/such/file").run() == .noSuchFileOrDirectory)
    }

    @Test func aReusedProcessIDIsAnotherProcess() throws {
        let child = try ChildProcess.spawn(["true"])
        _ = child.wait(.seconds(10))
        #expect(!child.id.isAlive)
        #expect(ProcessID.current.isAlive)
        #expect(ProcessSnapshot(.current).threads.count > 0)
    }
}
