import BenchCore
import Glibc
import LinuxSystem
import Synchronization
import SystemPackage

/// A source that a daemon serves at a mount point, with a plain directory beside it for comparisons.
final class ServedDirectory {
    let source: FilePath
    let plain: FilePath
    let mountPoint: FilePath
    private let target: Target
    private let bench: Workbench
    private(set) var daemon: MountedDaemon
    private static let number = Atomic<Int>(0)

    /// Makes the directories and starts the daemon.
    ///
    /// - Throws: ``CorrectnessUnavailable`` with what the daemon said.
    init(_ target: Target, bench: Workbench) throws {
        self.target = target
        self.bench = bench
        let number = ServedDirectory.number.add(1, ordering: .relaxed).newValue
        do {
            let folder = try bench.makeFolder("served\(number)")
            source = folder.appending("source")
            plain = folder.appending("plain")
            mountPoint = folder.appending("mount")
            for path in [source, plain, mountPoint] { mkdir(path.string, 0o755) }
            daemon = try ServedDirectory.start(target, source, mountPoint, bench)
        } catch {
            throw CorrectnessUnavailable(description: "\(target.label): \(error)")
        }
    }

    /// What this mount promises: all that its source has if it is ours; of others' caches nothing is known.
    var traits: TargetTraits {
        var traits =
            target.isOurs
            ? TargetTraits(isMount: true)
            : TargetTraits(isMount: true, losesFeatures: true, cacheSeconds: nil, writesBack: true)
        if target.isOurs {
            let options = Set(target.options.flatMap { $0.split(separator: ",") })
            if options.contains("cache=never") { traits.cacheSeconds = 0 }
            let isDirect = !options.isDisjoint(with: ["direct_io", "cache=never"])
            traits.isWriteback = options.contains("writeback") && !isDirect
            traits.writesBack = traits.isWriteback
            traits.holdsFiles = options.contains("no_file_handles")
            traits.mirrored = .all
        }
        traits.admitsOthers = daemon.mount?.superOptions.contains("allow_other") ?? true
        return traits
    }

    /// Unmounts and mounts again, so that nothing is left in the kernel's caches.
    ///
    /// - Returns: what went wrong.
    func remount() -> String? {
        if let problem = end() { return problem }
        do {
            daemon = try ServedDirectory.start(target, source, mountPoint, bench)
            return nil
        } catch {
            return "the second mount failed: \(error)"
        }
    }

    /// Takes down a daemon that hangs, by force, and starts another one.
    ///
    /// - Returns: what went wrong.
    func renew(_ evidence: Evidence) -> String? {
        if !daemon.forceDown(evidence: evidence) { return "a daemon that hangs could not be taken down" }
        do {
            daemon = try ServedDirectory.start(target, source, mountPoint, bench)
            return nil
        } catch {
            return "the mount after a hang failed: \(error)"
        }
    }

    /// Unmounts; nothing uses the mount any more, so that the daemon must end in order.
    ///
    /// - Returns: what went wrong.
    func end() -> String? {
        let report = daemon.stop(.unmount)
        let last = daemon.logTail
        let words = "after an unmount: \(report)" + (last.isEmpty ? "" : "; the daemon said last: \(last)")
        guard report.isComplete else { return words }
        switch report.exit {
        case .exited(let status) where status != 0 && !target.cleanExitStatuses.contains(status): return words
        case .signalled: return words
        default: return nil
        }
    }

    /// Takes down what is left, whatever has become of the daemon.
    func takeDown() {
        if daemon.isMounted || daemon.process?.isRunning == true { _ = daemon.stop() }
        if daemon.isMounted || daemon.process?.isRunning == true { daemon.forceDown() }
    }

    private static func start(
        _ target: Target, _ source: FilePath, _ mountPoint: FilePath, _ bench: Workbench
    ) throws(DaemonError) -> MountedDaemon {
        var options = target
        // Checks act as several users.
        if target.isOurs { options.options += ["-o", "allow_other,default_permissions"] }
        return try MountedDaemon.start(options, source: source, mountPoint: mountPoint, bench: bench)
    }
}
