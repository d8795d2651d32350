import ArgumentParser
import BenchCore
import Foundation
import LinuxSystem
import SystemPackage
import XFSTestsSuite

struct XFSTestsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "xfstests",
        abstract: "Run xfstests on every transport, unattended, and say what changed.",
        discussion: """
            Needs root and a built checkout of xfstests, which stays as it is. Both filesystems lie on loop-mounted images, \
            which go with the run. Every result is on disk before the next test begins: --resume goes on with a run that \
            was killed.

            Exit status: 0 when all is as the baseline expects (without one: when nothing failed), 1 when not, 64 for a \
            wrong option, 69 when the machine lacks something, 70 when the run could not go on.
            """)

    @Option(help: "The built checkout (default: XFSTESTS_DIR).")
    var xfstests: String?
    @Option(
        help:
            "legacy, uring-single, uring-percore or all, or other sections of xfstests-config/sections, with commas between them; may be given again (default: all)."
    )
    var transport: [String] = []
    @Option(name: .customShort("g"), help: "Groups, with commas between them (default: auto).")
    var groups: [String] = []
    @Option(name: .customShort("x"), help: "Groups to leave out.")
    var withoutGroups: [String] = []
    @Option(help: "A test to leave out. May be given again.")
    var skip: [String] = []
    @Argument(help: "Tests, such as generic/001; * and ? are allowed.")
    var tests: [String] = []
    @Option(help: "How often everything is run.", transform: Numbers.cycles)
    var cycles: Int?
    @Flag(help: "Stop at the first failure that is not expected; without --cycles, go on until there is one.")
    var untilFailure = false
    @Option(
        help: "How often a test that failed unexpectedly is run again (default: 2).",
        transform: { try Numbers.count($0, 0...1000) })
    var rerunFailed = 2
    @Option(
        help: "Seconds for each test (default: ten times its last known time, at least 120).",
        transform: Numbers.seconds)
    var testTimeout: Double?
    @Flag(help: "Draw the order of the tests anew for each cycle.")
    var shuffle = false
    @Option(help: "The seed of the order; it is printed.", transform: Numbers.seed)
    var seed: UInt64?
    @Option(
        help:
            "Expected results; 'none' for no comparison (default: the file for this kernel in xfstests-config/baselines)."
    )
    var baseline: String?
    @Flag(help: "Write what was seen into the baseline.")
    var updateBaseline = false
    @Option(
        help: "A test is slower when it takes that many times as long as in the baseline.", transform: Numbers.factor)
    var slowFactor = 3.0
    @Option(help: "The images' filesystem: ext4, xfs, btrfs or tmpfs.")
    var backing = "ext4"
    @Option(
        help: "GiB of each image; it takes only what is written.", transform: { try Numbers.count($0, 1...16384) })
    var imageSize = 12
    @Option(help: "Use a folder of the host's instead of images.")
    var backingFolder: String?
    @Option(
        help: "Test another daemon: a command with {source}, {mountpoint} and {options}.",
        transform: DaemonOption.command)
    var daemon: String?
    @Option(help: "Test another daemon: mount -t fuse.TYPE.", transform: DaemonOption.mountHelper)
    var mountHelper: String?
    @Option(name: .customShort("o"), help: "Further mount options.")
    var options: [String] = []
    @Option(help: "Requests that each queue of the ring can hold at once.", transform: Numbers.depth)
    var depth: Int?
    @Option(help: "What reports call that other daemon.")
    var label: String?
    @Option(help: "The build of fstestkit that serves (default: this one).")
    var program: String?
    @Flag(help: "Run the tests of the exclude lists, too.")
    var noExcludes = false
    @Flag(help: "Go on with the run in --output.")
    var resume = false
    @Option(help: "Where results go (default: a new folder here).")
    var output: String?
    @Flag(help: "Show what would run, and what would not and why.")
    var list = false
    @Flag(help: "Install and set what is missing, and end.")
    var prepare = false
    @Flag(help: "Start though the machine lacks something.")
    var force = false
    @Flag(help: "Results as lines of JSON on standard output.")
    var json = false
    @Option(help: "Seconds for each of the steps by which a hung test is ended.", transform: Numbers.seconds)
    var grace = 30.0
    @Flag(help: "Use the machine's mount namespace: its hung mounts can then hang a test.")
    var sharedMounts = false

    mutating func run() throws {
        if !sharedMounts && !prepare && !list && !PrivateMounts.isEntered {
            PrivateMounts.enter(arguments: CommandLine.arguments)
            throw fail("cannot start unshare(1); --shared-mounts does without", .unavailable)
        }
        if resume { return try runPlan(nil) }
        let builder = try XFSTestsPlanBuilder(self)
        if prepare { return try prepareMachine(builder) }
        let plan = try builder.plan()
        if list { return print(builder.listing(plan)) }
        try checkMachine(builder)
        try runPlan(plan)
    }

    private func prepareMachine(_ builder: XFSTestsPlanBuilder) throws {
        builder.preparation().prepare { command, status in
            print("\(command): \(status.map { "\($0)" } ?? "did not run")")
        }
        try checkMachine(builder)
        print("ready")
    }

    private func checkMachine(_ builder: XFSTestsPlanBuilder) throws {
        let preparation = builder.preparation()
        for finding in preparation.lacks {
            let mark = finding.isRequired ? "missing" : "without it some tests do not run"
            printError("\(finding.name): \(finding.lack!) (\(mark))" + (finding.remedy.map { " -> \($0)" } ?? ""))
        }
        if !preparation.isReady && !force { throw fail("not ready; --prepare carries out the remedies", .unavailable) }
    }

    /// - Parameter plan: nil to go on with the plan of the run that there is.
    private func runPlan(_ plan: XFSTestsPlan?) throws {
        let folder = try outputFolder()
        let journal = try open(folder, plan)
        if !sharedMounts {
            PrivateMounts.detachForeign(keeping: [
                folder.string, journal.plan.checkout, NSTemporaryDirectory(), FileManager.default.currentDirectoryPath,
            ])
        }
        let bench: Workbench
        do throws(Errno) {
            bench = try Workbench(output: folder, program: program)
        } catch {
            throw fail("cannot make a temporary folder: \(error)", .software)
        }
        bench.closeOnSignals()
        let run = XFSTestsRun(bench: bench, journal: journal)
        let progress = XFSTestsProgress(json: json, plan: journal.plan)
        run.report = progress.show
        run.grace = grace
        progress.begin(output: folder.string)
        let failure = attempt(run)
        let leftBehind = bench.close().failures
        for line in leftBehind { printError("left behind: \(line)") }
        if let failure { throw fail(failure, .software) }
        let report = XFSTestsReport(journal, factor: slowFactor)
        report.save(to: folder)
        progress.end(report)
        if updateBaseline { try update(report) }
        try RunStatus(hasFailures: !report.isAsExpected, isStuck: !leftBehind.isEmpty).end()
    }

    private func attempt(_ run: XFSTestsRun) -> String? {
        do throws(XFSTestsRun.Problem) {
            try run.run()
            return nil
        } catch {
            switch error {
            case .noBacking(let command, let output): return "\(command): \(output)"
            case .noConfiguration(let errno): return "cannot write xfstests' configuration: \(errno)"
            case .notStarted(let output): return "check does not start: \(output)"
            case .leftovers(let lines): return "left by the run before: \(lines.joined(separator: "; "))"
            }
        }
    }

    private func outputFolder() throws -> FilePath {
        if let output { return try OutputFolder.make(output) }
        if resume { throw fail("--resume needs --output", .validationFailure) }
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.dateFormat = "yyyyMMdd-HHmmss"
        return try OutputFolder.make("fstestkit-xfstests-\(format.string(from: Date()))")
    }

    private func open(_ folder: FilePath, _ plan: XFSTestsPlan?) throws -> XFSTestsJournal {
        do throws(Errno) {
            if let plan { return try XFSTestsJournal(output: folder, plan: plan) }
            return try XFSTestsJournal(resuming: folder)
        } catch .fileExists {
            throw fail("there is a run in \(folder); --resume goes on with it", .validationFailure)
        } catch .noSuchFileOrDirectory where plan == nil {
            throw fail("there is no run in \(folder)", .validationFailure)
        } catch {
            throw fail("\(folder): \(error)")
        }
    }

    private func update(_ report: XFSTestsReport) throws {
        for summary in report.summaries {
            let builder = try XFSTestsPlanBuilder(self)
            let path = try builder.baselinePath(summary.section, report.plan)
            var baseline = XFSTestsBaseline(header: [
                "Expected results of xfstests: \(report.plan.target(summary.section)) on \(report.plan.backing),"
                    + " Linux \(report.plan.kernel.split(separator: ".").prefix(2).joined(separator: "."))."
            ])
            if let text = try? String(contentsOfFile: path.string, encoding: .utf8) {
                do throws(XFSTestsBaseline.Problem) {
                    baseline = try XFSTestsBaseline(text)
                } catch {
                    throw fail("\(path): \(error)")
                }
            }
            baseline.update(with: summary.tests)
            let file = URL(fileURLWithPath: path.string)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try baseline.text.write(to: file, atomically: true, encoding: .utf8)
            printError("wrote \(path)")
        }
    }
}

/// Words for people, on standard error.
func printError(_ line: String) {
    FileHandle.standardError.write(Data("\(line)\n".utf8))
}
