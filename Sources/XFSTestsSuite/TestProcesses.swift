import BenchCore
import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// The processes of a test: everything that carries the run's mark and is neither bench, `check` nor daemon.
struct TestProcesses {
    let bench: Workbench
    let check: Int32
    let watch: DaemonWatch

    func all() -> [ProcessID] {
        ProcessID.all().filter { pid in
            pid != getpid() && pid != check && watch.daemons[pid] == nil && bench.isMarked(pid)
        }.map(ProcessID.init)
    }

    /// Those that `check` did not start itself and that outlive a test: the gate's shell is its direct child.
    func leftovers() -> [ProcessID] {
        all().filter { process in
            guard let stat = ProcessID.stat(process.pid), stat.state != "Z" else { return false }
            return stat.parent == getpid()
        }
    }
}
