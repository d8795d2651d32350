import ArgumentParser
import BenchCore
import Foundation
import LinuxSystem
import RingFuzzSuite
import SystemPackage

struct RingFuzzCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ring-fuzz",
        abstract: "Be a FUSE daemon that lies to the kernel, in every order, and see what the kernel makes of it.",
        discussion: """
            Scripts of legal and illegal moves are drawn from a seed and played against a kernel, with clients beside them. \
            One that harms it can take the machine down: --kernel plays them in guests, one after another when they die. \
            docs/ring-fuzz.md tells more.

            Exit status: 0 if nothing was found, 1 if something was, 64 for a wrong option or for this machine without \
            --allow-host-changes, 69 if what was asked for is not to be had, 70 if the suite could not go on.
            """)

    @Option(help: "The guests' kernel: deb:VERSION, a bzImage, a folder or a built tree, as vm run takes it.")
    var kernel: String?
    @Option(help: "The guests' CPUs: the ring has as many queues.", transform: Numbers.cpus)
    var cpus = 2
    @Option(help: "Where the scripts are drawn from (default: drawn, and printed).", transform: Numbers.seed)
    var seed: UInt64?
    @Option(help: "How many scripts (default: 100).", transform: Numbers.cycles)
    var cases: Int?
    @Option(help: "Seconds, in place of a number of scripts.", transform: Numbers.seconds)
    var duration: Double?
    @Option(help: "The number of the seed's first script.", transform: { try Numbers.count($0, 0...1_000_000_000) })
    var first = 0
    @Option(help: "Play this file's script in place of drawn ones. May be given again.")
    var replay: [FilePath] = []
    @Flag(help: "Play the scripts that are known to break some kernel in place of drawn ones.")
    var corpus = false
    @Option(help: "How often the scripts of --replay or --corpus are played.", transform: Numbers.cycles)
    var times = 1
    @Flag(help: "Make what is found shorter and plainer, and count how often it shows; needs --kernel.")
    var shrink = false
    @Option(
        help: "Leave out scripts that do all of this, as 'init size=small, client does=setxattr'. May be given again.")
    var avoid: [String] = []
    @Option(help: "Leave out the result of this name. May be given again.")
    var skip: [String] = []
    @Flag(help: "Results on standard output, a line of JSON for each; words on standard error.")
    var json = false
    @Option(help: "Where scripts, evidence and the report go (default: a new directory, named at the end).")
    var output: String?
    @Flag(help: "Play them on this machine, which it may not survive.")
    var allowHostChanges = false

    func validate() throws {
        if cases != nil && duration != nil { throw ValidationError("--cases and --duration exclude each other") }
        if corpus && !replay.isEmpty { throw ValidationError("--corpus and --replay exclude each other") }
        if isGiven && (cases ?? 0 > 0 || duration != nil || seed != nil || !avoid.isEmpty) {
            throw ValidationError(
                "--replay and --corpus play what is there: they exclude --seed, --cases, --duration and --avoid")
        }
        if !isGiven && times > 1 { throw ValidationError("--times is for --replay and --corpus") }
        if avoid.contains(where: { RingFuzzCases.peculiarities($0).isEmpty }) {
            throw ValidationError("--avoid names what scripts do: 'commit payload=over'")
        }
        if shrink && kernel == nil {
            throw ValidationError("--shrink breaks kernels again and again: it needs --kernel")
        }
        if kernel != nil && allowHostChanges {
            throw ValidationError("--kernel and --allow-host-changes exclude each other")
        }
    }

    func run() throws {
        guard kernel != nil || allowHostChanges else {
            throw fail(
                "ring-fuzz lies to the kernel, which may take this machine down: name a guest's with --kernel, "
                    + "or say --allow-host-changes on a machine that may be lost", .validationFailure)
        }
        guard geteuid() == 0 || kernel != nil else { throw fail("ring-fuzz mounts: it needs root", .unavailable) }
        let scripts = try replayed()
        let folder = try OutputFolder.make(output, of: "ring-fuzz")
        if let kernel {
            try RingFuzzHost(
                kernel: kernel, cpus: cpus, output: folder, json: json, isShrinking: shrink
            ).run(
                scripts.isEmpty
                    ? .drawn(
                        seed: usedSeed, first: first, cases: cases ?? (duration == nil ? 100 : nil), seconds: duration)
                    : .replayed(scripts), avoid: avoid)
        } else {
            try playHere(scripts, folder)
        }
    }

    /// Nothing is drawn.
    private var isGiven: Bool { corpus || !replay.isEmpty }

    private var usedSeed: UInt64 { seed ?? UInt64.random(in: 1...999_999_999) }

    private func replayed() throws -> [RingFuzzSession.Case] {
        let scripts =
            corpus
            ? try Corpus.cases()
            : try replay.map { path in
                RingFuzzSession.Case(
                    name: path.lastComponent?.stem ?? "script", script: try RingFuzzCommand.read(path))
            }
        return (1...times).flatMap { round in
            scripts.map { .init(name: times > 1 ? "\($0.name)/\(round)" : $0.name, script: $0.script) }
        }
    }

    /// - Throws: 64 with what is wrong and where.
    private static func read(_ path: FilePath) throws -> Script {
        let text: String
        do throws(Errno) { text = try readWhole(path) } catch {
            throw fail("the script \(path) cannot be read: \(error)", .validationFailure)
        }
        do throws(ScriptError) { return try Script(text) } catch {
            throw fail("\(path)\(error.line.map { ":\($0)" } ?? ""): \(error.what)", .validationFailure)
        }
    }

    // MARK: - On this machine

    private func playHere(_ scripts: [RingFuzzSession.Case], _ folder: FilePath) throws {
        try? FuseControl.ensureMounted()
        guard RingSetting.current == .on else {
            throw fail("this kernel does not serve FUSE over io_uring: \(RingSetting.path) is not Y", .unavailable)
        }
        var cases = RingFuzzCases(
            seed: usedSeed, first: first, count: duration == nil ? self.cases ?? 100 : nil,
            deadline: duration.map(Deadline.init(secondsFromNow:)), avoided: avoid.map(RingFuzzCases.peculiarities),
            skipped: Set(skip))
        if json, let count = scripts.isEmpty ? cases.count : scripts.count {
            SuiteEvent.planned(count: max(0, count - skip.count)).emit()
        }
        var results = 0
        var rest = scripts[...]
        let isUnharmed: Bool
        do throws(Errno) {
            let session = try RingFuzzSession(
                folder: "\(NSTemporaryDirectory())/fstestkit-ring-fuzz-\(getpid())", output: folder)
            isUnharmed = try session.run(
                next: { scripts.isEmpty ? cases.next() : rest.popFirst() },
                show: { event in
                    show(event)
                    if case .result = event { results += 1 }
                })
        } catch {
            throw fail("the suite cannot go on: \(error)", .software)
        }
        // What was to come is not played on a kernel that was harmed.
        if json && !isUnharmed { SuiteEvent.planned(count: results).emit() }
        try RunStatus(hasFailures: !isUnharmed).end()
    }

    private func show(_ event: RingFuzzSession.Event) {
        switch event {
        case .begin(let current):
            guard json else { return }
            SuiteEvent.started(area: "case", name: current.name).emit()
            // What is said must have left the machine before it dies.
            tcdrain(1)
        case .result(let result):
            if json { SuiteEvent.finished(result).emit() } else { print(RingFuzzCommand.line(result)) }
        }
    }

    static func line(_ result: TestResult) -> String {
        let verdict = result.verdict.isFailure ? result.verdict.rawValue.uppercased() : result.verdict.rawValue
        return "\(verdict) \(result.name)" + (result.message.isEmpty ? "" : ": \(result.message)")
    }
}
