import BenchCore
import Foundation
import Glibc
import LinuxSystem
import SystemPackage
import Testing

let hasRing = RingSetting.current == .on

/// Transports that this kernel has, for tests that run on each.
let availableTransports = TransportName.allCases.filter { hasRing || !$0.usesRing }

extension Mounting {
    /// Runs the program under test to its end.
    static func run(
        _ bench: Workbench, _ arguments: [String], as program: String = Mounting.program,
        environment: [String: String] = [:]
    ) throws -> (status: BenchCore.ExitStatus?, output: String) {
        let log = bench.folder.appending("output-\(UUID().uuidString)")
        let child = try bench.spawn([program] + arguments, environment: environment, output: log)
        let status = child.wait(.seconds(20))
        return (status, child.output)
    }

    /// Runs a shell command that may touch a mount, in a child with a deadline.
    static func shell(_ bench: Workbench, _ command: String) throws -> (status: BenchCore.ExitStatus?, output: String) {
        try run(bench, ["-c", command], as: "sh")
    }

    /// `fstestkit mount`: what it accepts, refuses, and leaves behind.
    @Suite(.serialized) struct MountCommandTests {
        @Test(
            "bad input is refused with a message and status 64",
            arguments: [
                (["--transport", "pigeon"], "transport takes one of"),
                (["--depth", "0"], "depth takes a whole number"),
                (["-o", "bogus"], "unknown option 'bogus'"), (["-o", "depth=many"], "depth takes a whole number"),
                (["--rings", "60000"], "possible CPUs"), (["--attr-timeout", "soon"], "attr_timeout takes seconds"),
                (["-o", "fsname="], "fsname takes 1 to 4000 bytes"),
                (["-o", "subtype=" + String(repeating: "x", count: 5000)], "subtype takes 0 to 4000 bytes"),
                (["--cache", "maybe"], "cache takes one of"), (["--log-file", "/no/such/folder/log"], "log file"),
            ])
        func refusal(options: [String], message: String) throws {
            try withBench { bench, source, mountPoint in
                let transport = options.contains("--rings") ? ["--transport", "uring-percore"] : []
                let result = try run(bench, ["mount"] + transport + options + [source.string, mountPoint.string])
                #expect(result.status == .exited(64))
                #expect(result.output.contains(message), "\(result.output)")
                #expect(try MountTable.top(at: mountPoint.string) == nil)
            }
        }

        @Test func sourceAndMountPointAreChecked() throws {
            try withBench { bench, source, mountPoint in
                let inside = source.appending("inside")
                mkdir(inside.string, 0o755)
                let file = bench.folder.appending("file")
                _ = FileManager.default.createFile(atPath: file.string, contents: nil)
                for (arguments, message) in [
                    ([source.string, inside.string], "lies inside the source"),
                    ([source.string, source.string], "lies inside the source"),
                    ([file.string, mountPoint.string], "not a directory"),
                    ([source.string, file.string], "not a directory"),
                    (["/no/such/source", mountPoint.string], "No such file"),
                    (["", mountPoint.string], "source : No such file"),
                    ([source.string, ""], "mount point : No such file"),
                ] {
                    let result = try run(bench, ["mount"] + arguments)
                    #expect(result.status == .exited(64))
                    #expect(result.output.contains(message), "\(result.output)")
                }
            }
        }

        @Test(arguments: availableTransports)
        func inTheBackgroundItReturnsOnceTheMountCanBeUsed(_ transport: TransportName) throws {
            try withBench { bench, source, mountPoint in
                let mounted = try run(
                    bench, ["mount", "--transport", transport.rawValue, source.string, mountPoint.string])
                #expect(mounted.status == .exited(0), "\(mounted.output)")
                bench.ledger.record(.mount(mountPoint.string))
                #expect(try MountTable.top(at: mountPoint.string)?.type == "fuse.fstestkit")
                #expect(try shell(bench, "echo text > \(mountPoint)/file").status == .exited(0))
                #expect(try readWhole(source.appending("file")) == "text\n")
                let unmounted = try run(bench, ["unmount", mountPoint.string])
                #expect(unmounted.status == .exited(0), "\(unmounted.output)")
                #expect(try MountTable.top(at: mountPoint.string) == nil)
            }
        }

        @Test func theDaemonKeepsNothingOfItsCallersOpen() throws {
            try withBench { bench, source, mountPoint in
                let lock = bench.folder.appending("lock")
                let mount = "\(Mounting.program) mount --transport legacy \(source) \(mountPoint)"
                bench.ledger.record(.mount(mountPoint.string))
                // The lock goes with its last descriptor, and the pipe ends with its last writer.
                let ended = try shell(
                    bench, "exec 9> \(lock); flock 9; \(mount) 2>&1 | cat; exec 9>&-; flock -w 5 \(lock) echo free")
                #expect(ended.status == .exited(0), "\(ended)")
                #expect(ended.output == "free\n")
                let entry = try #require(try MountTable.top(at: mountPoint))
                let process = try #require(FuseConnection(entry.minor).holders.first(where: bench.owns))
                let open = try shell(bench, "readlink /proc/\(process)/fd/[012]").output
                #expect(open == "/dev/null\n/dev/null\n/dev/null\n")
                #expect(try run(bench, ["unmount", mountPoint.string]).status == .exited(0))
            }
        }

        @Test func unmountingABusyMountIsRefusedAndLazilyAccepted() throws {
            try withBench { bench, source, mountPoint in
                _ = try run(bench, ["mount", "--transport", "legacy", source.string, mountPoint.string])
                bench.ledger.record(.mount(mountPoint.string))
                let holder = try bench.spawn(["sh", "-c", "exec 3> \(mountPoint)/held; sleep 60"])
                while access(source.appending("held").string, F_OK) != 0 { usleep(1000) }
                let refused = try run(bench, ["unmount", mountPoint.string])
                #expect(refused.status == .exited(1))
                #expect(refused.output.contains("in use"), "\(refused.output)")
                let stays = try run(bench, ["unmount", "--lazy", "--timeout", "0.2", mountPoint.string])
                #expect(stays.status == .exited(70))
                #expect(stays.output.contains("still serves open files"), "\(stays.output)")
                holder.kill()
            }
        }

        @Test func aBindThatKeepsTheDaemonIsNamed() throws {
            try withBench { bench, source, mountPoint in
                let bind = try bench.makeFolder("bind")
                _ = try run(bench, ["mount", "--transport", "legacy", source.string, mountPoint.string])
                bench.ledger.record(.mount(mountPoint.string))
                #expect(try shell(bench, "mount --bind \(mountPoint) \(bind)").status == .exited(0))
                let stays = try run(bench, ["unmount", "--timeout", "0.2", mountPoint.string])
                #expect(stays.status == .exited(70))
                #expect(stays.output.contains("'umount \(bind)' unmounts it there"), "\(stays.output)")
                #expect(try run(bench, ["unmount", bind.string]).status == .exited(0))
            }
        }

        @Test func asAMountHelper() throws {
            try withBench { bench, source, mountPoint in
                // The name that mount(8) would call it by decides, wherever it lies.
                let helper = bench.folder.appending("mount.fuse.fstestkit")
                symlink(Mounting.program, helper.string)
                let mounted = try run(
                    bench,
                    [
                        "device", mountPoint.string, "-o", "rw,noatime,source=\(source),transport=legacy", "-o",
                        "suid,dev",
                    ],
                    as: helper.string)
                #expect(mounted.status == .exited(0), "\(mounted.output)")
                bench.ledger.record(.mount(mountPoint.string))
                let entry = try #require(try MountTable.top(at: mountPoint.string))
                #expect(entry.source == "device" && entry.type == "fuse.fstestkit")
                #expect(!entry.options.contains("nosuid") && !entry.options.contains("nodev"))
                let remounted = try run(
                    bench, ["device", mountPoint.string, "-o", "remount,ro,source=\(source)"], as: helper.string)
                #expect(remounted.status == .exited(0), "\(remounted.output)")
                #expect(try MountTable.top(at: mountPoint.string)?.options.hasPrefix("ro") == true)
                #expect(try shell(bench, "touch \(mountPoint)/file").output.contains("Read-only"))
                #expect(try run(bench, ["unmount", mountPoint.string]).status == .exited(0))
            }
        }

        /// The program under the name by which mount(8) finds it.
        private func helper(_ bench: Workbench) -> String {
            let path = bench.folder.appending("mount.fuse.fstestkit").string
            symlink(Mounting.program, path)
            return path
        }

        @Test func theFlagsOfAMountHelper() throws {
            try withBench { bench, source, mountPoint in
                let helper = helper(bench)
                let options = "source=\(source),transport=legacy"
                let fake = try run(bench, ["device", mountPoint.string, "-fnv", "-o", options], as: helper)
                #expect(fake.status == .exited(0) && fake.output.contains("would be mounted"), "\(fake)")
                let wrong = try run(bench, ["device", mountPoint.string, "-f", "-o", "\(options),bogus"], as: helper)
                #expect(wrong.status == .exited(64), "\(wrong)")
                #expect(
                    try run(bench, ["device", mountPoint.string, "-q", "-o", options], as: helper).status == .exited(64)
                )
                #expect(try MountTable.top(at: mountPoint) == nil)
                bench.ledger.record(.mount(mountPoint.string))
                let sloppy = try run(
                    bench, ["-sv", "-t", "fuse.other", "device", mountPoint.string, "-o", "\(options),bogus,bogus=1"],
                    as: helper)
                #expect(sloppy.status == .exited(0) && sloppy.output.contains("is mounted on"), "\(sloppy)")
                #expect(try MountTable.top(at: mountPoint)?.type == "fuse.other")
                #expect(try run(bench, ["unmount", mountPoint.string]).status == .exited(0))
            }
        }

        @Test func anotherMountNamespace() throws {
            try withBench { bench, source, mountPoint in
                let other = try bench.spawn(["unshare", "--mount", "--propagation", "private", "sleep", "60"])
                let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/mnt")
                let link = "/proc/\(other.id)/ns/mnt"
                #expect(
                    Deadline(after: .seconds(10)).wait {
                        (try? FileManager.default.destinationOfSymbolicLink(atPath: link)) != own
                    })
                let options = "source=\(source),transport=legacy"
                let mounted = try run(
                    bench, ["device", mountPoint.string, "-N", "\(other.id)", "-o", options], as: helper(bench))
                #expect(mounted.status == .exited(0), "\(mounted)")
                #expect(try MountTable.top(at: mountPoint) == nil)
                let table = try MountTable.read(FilePath("/proc/\(other.id)/mountinfo"))
                #expect(table.contains { $0.path == mountPoint && $0.isFUSE })
                let unmounted = try shell(
                    bench, "nsenter -m -t \(other.id) \(Mounting.program) unmount \(mountPoint)")
                #expect(unmounted.status == .exited(0), "\(unmounted)")
                other.kill()
            }
        }

        @Test func whatMountMayAskForIsTaken() throws {
            try withBench { bench, source, mountPoint in
                bench.ledger.record(.mount(mountPoint.string))
                let options = "owner,group,nouser,X-mount.mkdir,x-systemd.automount,nosymfollow,auto_unmount,exec,suid"
                let mounted = try run(
                    bench, ["mount", "-o", "\(options),transport=legacy", source.string, mountPoint.string])
                #expect(mounted.status == .exited(0), "\(mounted)")
                let entry = try #require(try MountTable.top(at: mountPoint))
                let flags = entry.options.split(separator: ",")
                #expect(flags.contains("nosymfollow") && flags.contains("nodev"), "\(flags)")
                #expect(!flags.contains("noexec") && !flags.contains("nosuid"), "\(flags)")
                // As mount(8) calls the helper of what the mount table shows, to have it remounted.
                let shown = "\(entry.superOptions),remount,ro,nosymfollow"
                let remounted = try run(
                    bench, [entry.source, mountPoint.string, "-o", shown], as: helper(bench))
                #expect(remounted.status == .exited(0), "\(remounted)")
                let after = try #require(try MountTable.top(at: mountPoint))
                #expect(after.options.hasPrefix("ro") && after.options.contains("nosymfollow"), "\(after)")
                #expect(try run(bench, ["unmount", mountPoint.string]).status == .exited(0))
            }
        }

        @Test(arguments: availableTransports)
        func theMountGoesWithADaemonThatIsKilled(_ transport: TransportName) throws {
            try withBench { bench, source, mountPoint in
                bench.ledger.record(.mount(mountPoint.string))
                _ = try run(
                    bench,
                    ["mount", "--transport", transport.rawValue, "--auto-unmount", source.string, mountPoint.string])
                let entry = try #require(try MountTable.top(at: mountPoint))
                let daemon = try #require(FuseConnection(entry.minor).holders.first(where: bench.owns))
                daemon.signal(SIGKILL)
                #expect(
                    Deadline(after: .seconds(10)).wait { MountTable.current().allSatisfy { $0.path != mountPoint } })
            }
        }

        @Test func autoSaysWhichTransportAndWhy() throws {
            try withBench { bench, source, mountPoint in
                let daemon = try MountedDaemon.start(
                    Target(.command("\(Mounting.program) mount --foreground {source} {mountpoint}")), source: source,
                    mountPoint: mountPoint, bench: bench)
                let report = daemon.stop(.terminate)
                #expect(report.isComplete && report.exit == .exited(0), "\(report)")
                let expected = hasRing ? "transport uring-percore: kernel and settings offer it" : "transport legacy:"
                #expect(daemon.logTail.contains(expected), "\(daemon.logTail)")
                #expect(daemon.logTail.contains("stopped: signal 15"), "\(daemon.logTail)")
            }
        }

        @Test(
            .enabled(if: isInstalled("fusermount3") && isInstalled("setpriv"), "needs fusermount3 and setpriv"),
            .enabled(if: isOpenToAll("/dev/fuse"), "needs a /dev/fuse that every user may open"))
        func withoutPrivileges() throws {
            try withBench { bench, _, _ in
                let folder = bench.folder.appending("nobody")
                _ = try shell(
                    bench, "install -d -o nobody \(folder) \(folder)/source \(folder)/mnt; chmod a+x \(bench.folder)")
                bench.ledger.record(.mount("\(folder)/mnt"))
                let user = "setpriv --reuid nobody --clear-groups --inh-caps=-all"
                let mounted = try shell(
                    bench, "\(user) \(Mounting.program) mount --transport legacy \(folder)/source \(folder)/mnt")
                #expect(mounted.status == .exited(0), "\(mounted.output)")
                let used = try shell(
                    bench, "\(user) sh -c 'echo text > \(folder)/mnt/file && stat -c %U \(folder)/source/file'")
                #expect(used.output == "nobody\n")
                let stranger = user.replacing("nobody", with: "daemon")
                let refused = try shell(bench, "\(stranger) \(Mounting.program) unmount --lazy \(folder)/mnt")
                #expect(refused.status == .exited(1))
                #expect(refused.output.contains("was mounted by user"), "\(refused.output)")
                let unmounted = try shell(bench, "\(user) \(Mounting.program) unmount \(folder)/mnt")
                #expect(unmounted.status == .exited(0), "\(unmounted.output)")
                #expect(try MountTable.top(at: "\(folder)/mnt") == nil)
            }
        }
    }
}
