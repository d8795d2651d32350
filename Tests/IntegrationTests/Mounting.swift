import BenchCore
import Glibc
import LinuxSystem
import SystemPackage
import Testing

let canMount = getuid() == 0 && access("/dev/fuse", R_OK | W_OK) == 0

func isInstalled(_ program: String) -> Bool {
    String(cString: getenv("PATH")).split(separator: ":").contains { access("\($0)/\(program)", X_OK) == 0 }
}

func isOpenToAll(_ path: String) -> Bool {
    var information = stat()
    return stat(path, &information) == 0 && information.st_mode & 0o006 == 0o006
}

/// All tests that mount something nest here: one at a time, whatever file they are in.
@Suite(.serialized, .enabled(if: canMount, "needs root and /dev/fuse")) enum Mounting {
    /// The program under test, built beside the tests.
    static let program: String = {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, 4095)
        let path = FilePath(String(decoding: buffer[..<max(count, 0)].map { UInt8(bitPattern: $0) }, as: UTF8.self))
        return path.removingLastComponent().appending("fstestkit").string
    }()

    /// A run of the bench with a source folder and a mount point, cleaned up afterwards.
    static func withBench(_ body: (Workbench, _ source: FilePath, _ mountPoint: FilePath) throws -> Void) throws {
        let output = FilePath("/tmp/fstestkit-tests-\(getpid())")
        let bench = try Workbench(output: output, program: program)
        defer {
            let report = bench.close()
            #expect(report.isClean, "\(report.failures)")
            #expect(MountTable.mounts(below: bench.folder.string).isEmpty)
        }
        try body(bench, try bench.makeFolder("source"), try bench.makeFolder("mnt"))
    }
}
