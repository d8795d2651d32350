import BenchCore
import Glibc
import LinuxSystem
import SystemPackage

/// What a check knows of the place it runs in. Its own empty directory is the working directory.
struct CheckContext: Sendable {
    /// The check's directory as it appears behind the mount, where that can be seen.
    let source: Path?
    /// Of all that is drawn at random.
    let seed: UInt64
    /// What the mount promises.
    let traits: TargetTraits
    /// The check's name.
    let name: String

    /// A generator that gives the same numbers in every run with the same seed.
    func random(_ stream: UInt64 = 0) -> SplitMix64 {
        SplitMix64(seed: seed &+ stream &* 0x9E37_79B9_7F4A_7C15)
    }

    /// Runs `body` in a child, as another user.
    func run(as credentials: Credentials, _ body: () throws -> Void) throws {
        try requireOthers()
        try Child("as user \(credentials.user)", as: credentials, body).join()
    }

    /// Skips the check where the mount is for the one who mounted it only.
    func requireOthers() throws {
        if !traits.admitsOthers { throw CheckSkipped("the mount lets no other users in (allow_other)") }
    }

    /// Runs `count` children at once and waits for them all; a gate lets them start together.
    func inParallel(_ count: Int, as credentials: Credentials? = nil, _ body: (Int) throws -> Void) throws {
        let gate = try Gate()
        let children = try (0..<count).map { index in
            try Child("process \(index)", as: credentials) {
                try gate.pass()
                try body(index)
            }
        }
        gate.open(count)
        for child in children { try child.join() }
    }

    /// The directory behind the mount.
    ///
    /// - Throws: `CheckSkipped` where it is not known.
    func behind(_ name: Path = "") throws -> Path {
        guard let source else { throw CheckSkipped("the directory behind the mount is not known") }
        return name.bytes.isEmpty ? source : source / name
    }

    /// Skips the check, or fails it, unless the filesystem has `feature`.
    func require(_ feature: Feature) throws {
        guard let missing = feature.missing(".") else { return }
        guard traits.isMount, let source else {
            throw CheckSkipped("the filesystem has no \(feature.rawValue) (\(missing))")
        }
        if let behind = feature.missing(source) {
            throw CheckSkipped("the filesystem behind has no \(feature.rawValue) (\(behind))")
        }
        if feature == .seekHoles && traits.isWriteback {
            throw CheckSkipped("with a writeback cache the kernel takes all of a file for data")
        }
        if feature.isBeyondFUSE { throw CheckSkipped("FUSE has no \(feature.rawValue)") }
        if traits.losesFeatures {
            throw CheckSkipped("the daemon has no \(feature.rawValue) (\(missing)); its source has")
        }
        throw CheckFailure(feature.rawValue, expected: "what the source has", got: missing)
    }

    /// Skips the check where the kernel does not look at what others do to the regular files that it knows.
    func requireLookingBehind() throws {
        if traits.isWriteback {
            throw CheckSkipped("with a writeback cache the kernel keeps sizes, times and data of files itself")
        }
    }

    /// Waits for `condition` as long as the mount may answer from its caches; fails after that. What a daemon of others lets
    /// the kernel cache is not known: there it is skipped.
    func eventually(_ what: String, _ condition: () throws -> Bool) throws {
        let seconds = traits.cacheSeconds ?? 1
        let end = FileTime.now.seconds + Int64(seconds) + Int64(2 * Pace.inherited.factor)
        while try !condition() {
            if FileTime.now.seconds > end {
                if traits.cacheSeconds == nil {
                    throw CheckSkipped(
                        "not seen within \(seconds + 2) s, and how long the daemon has things cached is not known: \(what)"
                    )
                }
                throw CheckFailure(what, expected: "within \(seconds) s", got: "not even after that")
            }
            usleep(20_000)
        }
    }
}

/// What the place of the checks is, and promises.
public struct TargetTraits: Codable, Sendable {
    /// A mount that a daemon serves, and not a plain directory.
    public var isMount: Bool
    /// Features of the source may be missing from the mount without that being a failure.
    public var losesFeatures: Bool
    /// Seconds for which names and attributes may be answered from the kernel's caches; nil if that is not known.
    public var cacheSeconds: Int?
    /// The kernel keeps dirty pages, or may: what was written appears behind the mount only after a sync.
    public var writesBack: Bool
    /// The kernel writes back, for certain: it keeps sizes, times and data of regular files itself (docs/deviations.md).
    public var isWriteback = false
    /// Each file that the kernel knows is held open by the daemon, and its filesystem is busy (docs/deviations.md).
    public var holdsFiles = false
    /// Other users than the one who mounted may use it.
    public var admitsOthers = true
    /// What is the same behind the mount.
    var mirrored: MirroredAspects = []
    /// What the source has and the mount has not.
    var missing: [Feature] = []

    public init(isMount: Bool, losesFeatures: Bool = false, cacheSeconds: Int? = 1, writesBack: Bool = false) {
        self.isMount = isMount
        self.losesFeatures = losesFeatures
        self.cacheSeconds = cacheSeconds
        self.writesBack = writesBack
    }

    /// A plain directory: the control.
    public static let directory = TargetTraits(isMount: false, cacheSeconds: 0)
}

extension CheckContext {
    /// Lets a file grow old enough for a change of its mtime to show, whatever the granularity of the clock.
    func letTheClockMove() throws {
        usleep(20_000)
    }
}
