import BenchCore
import LinuxSystem
import SystemPackage

/// Saves what tells why a test hangs.
struct HangEvidence {
    let bench: Workbench
    let watch: DaemonWatch
    let processes: TestProcesses

    /// - Returns: the files, relative to the output directory.
    func collect(into evidence: Evidence, kernelLog: KernelLog?, withStatistics: Bool) -> [String] {
        var files = [evidence.save("mountinfo", contents(of: "/proc/self/mountinfo") ?? "")]
        let test = processes.all().map(ProcessSnapshot.init)
        // A request that no signal has come for yet waits interruptibly.
        let blocked = test.filter { snapshot in
            snapshot.threads.contains {
                $0.state == "D" || $0.waitChannel.contains("fuse") || $0.stack.contains("fuse_")
            }
        }
        var text = blocked.isEmpty ? "nothing waits in uninterruptible sleep or for the filesystem\n" : ""
        for snapshot in blocked { text += snapshot.text + "\n" }
        files.append(evidence.save("blocked", text))
        files.append(evidence.save("processes", test.map(\.text).joined(separator: "\n")))
        for mount in watch.mounts {
            let number = mount.minor
            files.append(evidence.save("connection-\(number)", FuseConnection(number).text))
            for holder in FuseConnection(number).holders {
                files.append(evidence.save("daemon-\(holder.pid)", ProcessSnapshot(holder).text))
            }
            if withStatistics, let file = statistics(mount.mountPoint, number, evidence) { files.append(file) }
        }
        if let kernelLog { files.append(evidence.save("kernel.log", kernelLog.text)) }
        return files
    }

    /// What the daemon counts, if it still tells.
    private func statistics(_ mountPoint: String, _ number: UInt32, _ evidence: Evidence) -> String? {
        let log = bench.folder.appending("stats-\(number)")
        guard let child = try? bench.spawn([bench.program, "stats", mountPoint], output: log) else { return nil }
        if child.wait(.seconds(5)) == nil { child.kill() }
        return evidence.save("stats-\(number)", child.output)
    }
}
