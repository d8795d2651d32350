import BenchCore
import Glibc
import LinuxSystem
import SystemPackage

/// Writes what xfstests is given into the run's temporary folder: a configuration for each section, the helper that mounts,
/// and the folders that they name.
struct XFSTestsConfiguration {
    let folder: FilePath
    let testMount: FilePath
    let scratchMount: FilePath
    /// The helper lies here.
    let programs: FilePath
    /// For RESULT_BASE.
    let results: FilePath
    /// The mount points and all below them.
    let mounts: FilePath
    private let run: String

    /// - Throws: the errno of what could not be written.
    init(
        plan: XFSTestsPlan, backing: XFSTestsBacking, gate: FilePath, bench: Workbench
    ) throws(Errno) {
        folder = bench.folder.appending("config")
        mounts = bench.folder.appending("mnt")
        testMount = mounts.appending("test")
        scratchMount = mounts.appending("scratch")
        programs = bench.folder.appending("bin")
        results = bench.folder.appending("results")
        run = bench.ledger.run
        for path in [folder, testMount, scratchMount, programs, results, bench.folder.appending("tmp")] {
            Evidence.makeFolders(path.string)
        }
        for mountPoint in [testMount, scratchMount] { bench.ledger.record(.mount(mountPoint.string)) }
        var all = ""
        for section in plan.sections {
            let options = options(section, plan, bench)
            let text = self.text(section, options: options, plan: plan, backing: backing, gate: gate)
            try XFSTestsConfiguration.write(text, to: file(section))
            try writeHelper(section, options: options, server: plan.server, backing: backing, bench: bench)
            all += text + "\n"
        }
        // For a check that is started by hand, with -s SECTION.
        try XFSTestsConfiguration.write(all, to: folder.appending("local.config"))
    }

    /// A daemon's words in a test's output would be a failure of the test: they go to a file.
    private func options(_ section: String, _ plan: XFSTestsPlan, _ bench: Workbench) -> String {
        var options = ["allow_other", plan.options[section] ?? ""]
        if plan.server == .own {
            let folder = bench.evidence.root.appending("logs")
            Evidence.makeFolders(folder.string)
            options.append("log_file=\(folder.appending("\(section).daemon.log"))")
            // xfstests takes a mount of another type than plain `fuse` for a stranger's.
            options.append("subtype=")
        }
        return options.filter { !$0.isEmpty }.joined(separator: ",")
    }

    /// HOST_OPTIONS of a section. Each has a file of its own: values carry over from one section to the next, and the first
    /// one's mount would be made before the one that is asked for.
    func file(_ section: String) -> FilePath { folder.appending("\(section).config") }

    private func text(
        _ section: String, options: String, plan: XFSTestsPlan, backing: XFSTestsBacking, gate: FilePath
    ) -> String {
        var lines = ["[\(section)]", "FSTYP=fuse", "FUSE_SUBTYP=.\(subtype(section, plan.server))"]
        // Any two distinct names: xfstests unmounts by them, and no other run may have the same.
        lines += ["TEST_DEV=\(testDevice)", "TEST_DIR=\(testMount)"]
        lines += ["SCRATCH_DEV=fstestkit-scratch-\(run)", "SCRATCH_MNT=\(scratchMount)"]
        lines.append("TEST_FS_MOUNT_OPTS=\"-osource=\(backing.test),\(options)\"")
        lines.append("MOUNT_OPTIONS=\"-osource=\(backing.scratch),\(options)\"")
        lines += ["RESULT_BASE=\(results)", "LOGGER_PROG=\(gate)"]
        return lines.joined(separator: "\n") + "\n"
    }

    private var testDevice: String { "fstestkit-test-\(run)" }

    private func helper(_ section: String) -> FilePath { programs.appending("fstestkit_\(section)") }

    private func subtype(_ section: String, _ server: XFSTestsPlan.Server) -> String {
        if case .mountHelper(let type) = server { type } else { helper(section).string }
    }

    /// mount(8) hands a type without a helper in /sbin to mount.fuse(8), which takes what follows `fuse.` as a program, by its
    /// path here. So this very build is under test, whatever is installed. The path may have no dot in it: mount(8) cuts the
    /// type at the last one.
    ///
    /// A test that mounts without any of the configured options gets them all the same.
    private func writeHelper(
        _ section: String, options: String, server: XFSTestsPlan.Server, backing: XFSTestsBacking, bench: Workbench
    ) throws(Errno) {
        let command: String
        switch server {
        case .own:
            let link = programs.appending("mount.fuse.fstestkit").string
            unlink(link)
            _ = try Errno.check { symlink(bench.program, link) }
            command = quoted(link)
        case .daemon(let daemon):
            command = "\(quoted(bench.program)) xfstests-helper --command \(quoted(daemon)) --"
        case .mountHelper:
            return
        }
        let lines = [
            "#!/bin/sh",
            "case \"$*\" in *source=*|*remount*) exec \(command) \"$@\" ;; esac",
            "case \"$1\" in \(testDevice)) source=\(quoted(backing.test.string)) ;; *) source=\(quoted(backing.scratch.string)) ;; esac",
            "exec \(command) \"$@\" -o \"source=$source\" -o \(quoted(options))",
        ]
        try XFSTestsConfiguration.write(lines.joined(separator: "\n") + "\n", to: helper(section), mode: 0o755)
    }

    /// For a shell.
    private func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "'\\''") + "'" }

    private static func write(_ text: String, to path: FilePath, mode: mode_t = 0o644) throws(Errno) {
        let file = try Errno.check { open(path.string, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode) }
        defer { close(file) }
        var bytes = Array(text.utf8)
        _ = try Errno.check { Glibc.write(file, &bytes, bytes.count) }
    }

    /// `check` for one section and these tests, in this order.
    func command(checkout: String, section: String, tests: [String]) -> [String] {
        ["env", "-C", checkout, "bash", "./check", "-s", section, "-R", "xunit", "--exact-order"] + tests
    }

    func environment(section: String, bench: Workbench) -> [String: String] {
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
        return [
            "HOST_OPTIONS": file(section).string, "PATH": "\(path):/usr/local/sbin:/usr/sbin:/sbin",
            "TMPDIR": bench.folder.appending("tmp").string, "LC_ALL": "C",
        ]
    }
}
