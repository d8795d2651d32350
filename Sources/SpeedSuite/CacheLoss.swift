import BenchCore
import Glibc
public import SystemPackage

/// Has the kernel forget the names and inodes of a mount, as a remount does (`reconfigure_super`): fio looks at its files before its
/// clock runs, and what is to be measured would be known by then.
public struct CacheLoss {
    private static let word = "forget"
    private let mount: String

    /// - Parameter words: of ``command(_:program:)``, without the program; nil if they are not.
    public init?(_ words: [String]) {
        guard words.count == 2, words[0] == CacheLoss.word else { return nil }
        mount = words[1]
    }

    static func command(_ mount: FilePath, program: String) -> [String] {
        [program, "bench-worker", word, mount.string]
    }

    /// - Returns: why it could not be done.
    public func run() -> Errno? {
        IsolatedCall.remount(FilePath(mount), flags: UInt(MS_REMOUNT | MS_NOSUID | MS_NODEV)).run()
    }
}
