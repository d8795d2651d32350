import BenchCore
import LinuxSystem

/// All that a run was asked for: written down first, so that it can be resumed.
public struct XFSTestsPlan: Codable, Sendable {
    /// Who serves the mounts.
    public enum Server: Codable, Sendable, Hashable {
        /// This project's program, with the transport that the section names.
        case own
        /// Any daemon: a command with `{source}`, `{mountpoint}` and `{options}`.
        case daemon(String)
        /// Any daemon with a mount helper: `mount -t fuse.TYPE`.
        case mountHelper(String)
    }

    public enum Backing: Codable, Sendable, Hashable, CustomStringConvertible {
        /// Two loop-mounted images of `ext4`, `xfs` or `btrfs`, or two `tmpfs`.
        case image(String)
        /// Two new folders below this one.
        case folder(String)

        public var description: String {
            switch self {
            case .image(let type): type
            case .folder: "folder"
            }
        }
    }

    public var checkout: String
    public var server = Server.own
    /// What reports call a server that is not this project's.
    public var label: String?
    public var sections: [String]
    /// Mount options of each section.
    public var options: [String: String]
    public var backing = Backing.image("ext4")
    /// GiB of each of the two images; they are sparse.
    public var imageSize = 12
    /// Every test, in order.
    public var tests: [String]
    /// Tests that are not started, with the reason.
    public var excluded: [String: String] = [:]
    /// The `quick` ones among the tests: their time is limited more tightly while it is not known.
    public var quick: Set<String> = []
    /// Times in seconds that are known from before.
    public var knownSeconds: [String: Double] = [:]
    /// nil for no end.
    public var cycles: Int? = 1
    public var untilFailure = false
    /// How often a test that failed against expectation is run again.
    public var reruns = 2
    /// Seconds for each test; nil for ten times its known time, at least 120.
    public var testTimeout: Double?
    /// The order of tests is drawn anew for each cycle.
    public var shuffleSeed: UInt64?
    /// Files with the expected results, by section.
    public var baselines: [String: String] = [:]
    public var kernel: String

    public init(checkout: String, sections: [String], options: [String: String], tests: [String], kernel: String) {
        self.checkout = checkout
        self.sections = sections
        self.options = options
        self.tests = tests
        self.kernel = kernel
    }

    /// The tests of one cycle, in its order.
    public func order(cycle: Int) -> [String] {
        guard let shuffleSeed else { return tests }
        var generator = SplitMix64(seed: shuffleSeed &+ UInt64(cycle) &- 1)
        return tests.shuffled(using: &generator)
    }

    /// What a report calls this section of the run.
    public func target(_ section: String) -> String {
        switch server {
        case .own: section.replacing("_", with: "-")
        case .daemon, .mountHelper: label ?? section
        }
    }

    /// Seconds that a test may take.
    public func limit(for test: String, known: Double?) -> Double {
        if let testTimeout { return testTimeout }
        if let known = known ?? knownSeconds[test] { return max(120, known * 10) }
        return quick.contains(test) ? 600 : 1200
    }
}

extension XFSTestsPlan {
    /// Whether its numbers are within what the command line takes: a journal may have been damaged.
    var isSane: Bool {
        (0.001...1e9).contains(testTimeout ?? 1) && (1...16384).contains(imageSize) && (0...1000).contains(reruns)
            && (1...100_000).contains(cycles ?? 1)
    }
}
