import BenchCore
import Glibc
import LinuxSystem
import SystemPackage

/// A test between its name and its result.
struct RunningTest {
    let name: String
    private(set) var began = ContinuousClock.now
    var watchdog: XFSTestsWatchdog
    let kernelLog = KernelLog()
    /// How it hung.
    var hang: String?
    var crash: String?
    var evidence: [String] = []

    init(name: String, limit: Double, grace: Double) {
        self.name = name
        watchdog = XFSTestsWatchdog(limit: limit, grace: grace)
    }

    /// Now it runs: its time counts from here.
    mutating func start(limit: Double, grace: Double) {
        began = .now
        watchdog = XFSTestsWatchdog(limit: limit, grace: grace)
    }

    /// `generic/001` as the name of a folder.
    static func folder(_ name: String) -> String { name.replacing("/", with: "-") }
}
