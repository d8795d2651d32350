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
    private var daemon: MountedDaemon
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
        }
        traits.admitsOthers = daemon.mount?.superOptions.contains("allow_other") ?? true
        return traits
    }

    /// Unmounts and mounts again, so that nothing is left in the kernel's caches.
    func remount() throws {
        let report = daemon.stop(.unmount)
        guard report.isComplete else {
            throw CorrectnessUnavailable(
                description:
                    "\(target.label): the remount failed: \(report.unmountError.map { "\($0)" } ?? "it does not end")")
        }
        do {
            daemon = try ServedDirectory.start(target, source, mountPoint, bench)
        } catch {
            throw CorrectnessUnavailable(description: "\(target.label): the second mount failed: \(error)")
        }
    }

    /// Unmounts, by force if it must be.
    func stop(_ notify: (CorrectnessSession.Event) -> Void) {
        let report = daemon.stop(.unmount)
        if report.isComplete { return }
        notify(
            .note("the unmount failed (\(report.unmountError.map { "\($0)" } ?? "it does not end")): \(daemon.logTail)")
        )
        daemon.forceDown()
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
