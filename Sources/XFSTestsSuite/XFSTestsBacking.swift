import BenchCore
import Glibc
import SystemPackage

/// Where the files of the filesystem under test lie: two source folders, for test and scratch, on filesystems of their own, so
/// that no test writes to the host's disk.
struct XFSTestsBacking {
    enum Problem: Error, Sendable {
        /// A command, and the end of its output.
        case failed(String, String)
    }

    let test: FilePath
    let scratch: FilePath

    /// Makes and mounts them. The bench removes all of it when it is closed.
    init(_ backing: XFSTestsPlan.Backing, gigabytes: Int, bench: Workbench) throws(Problem) {
        switch backing {
        case .folder(let path):
            let own = FilePath(path).appending("fstestkit-\(bench.ledger.run)")
            bench.ledger.record(.folder(own.string))
            test = own.appending("test")
            scratch = own.appending("scratch")
        case .image(let type):
            let base = bench.folder.appending("backing")
            for name in ["test", "scratch"] {
                let mountPoint = base.appending(name)
                Evidence.makeFolders(mountPoint.string)
                try XFSTestsBacking.mount(type, on: mountPoint, gigabytes: gigabytes, bench: bench)
            }
            // A folder below, so that lost+found does not show up in the filesystem under test.
            test = base.appending("test/source")
            scratch = base.appending("scratch/source")
        }
        for folder in [test, scratch] { Evidence.makeFolders(folder.string) }
    }

    private static func mount(_ type: String, on mountPoint: FilePath, gigabytes: Int, bench: Workbench) throws(Problem)
    {
        bench.ledger.record(.mount(mountPoint.string))
        if type == "tmpfs" {
            return try run(["mount", "-t", "tmpfs", "-o", "size=\(gigabytes)g", "tmpfs", mountPoint.string], bench)
        }
        let image = FilePath(mountPoint.string + ".img")
        bench.ledger.record(.loop(image.string))
        try run(["truncate", "-s", "\(gigabytes)G", image.string], bench)
        let quiet = ["ext4": ["-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0"], "btrfs": ["-q", "-f"]]
        try run(["mkfs.\(type)"] + (quiet[type] ?? ["-q", "-f"]) + [image.string], bench)
        try run(["mount", "-t", type, "-o", "loop", image.string, mountPoint.string], bench)
    }

    private static func run(_ command: [String], _ bench: Workbench) throws(Problem) {
        let log = bench.folder.appending("backing.log")
        let text = command.joined(separator: " ")
        guard let child = try? bench.spawn(command, output: log) else { throw .failed(text, "no such program") }
        guard child.wait(.seconds(300))?.isSuccess == true else { throw .failed(text, MountedDaemon.tail(of: log)) }
    }
}
