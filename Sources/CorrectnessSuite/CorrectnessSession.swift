public import BenchCore
import Glibc
public import SystemPackage

/// What was asked for cannot be had: a daemon that does not start, a directory that does not exist.
public struct CorrectnessUnavailable: Error, CustomStringConvertible {
    public var description: String
}

/// The correctness suite on one target after the other: starts each, tests it, and stops it.
public struct CorrectnessSession {
    let targets: [Target]
    /// The directory that a target of kind `directory` stands for.
    let directory: String?
    let options: CorrectnessOptions
    let output: FilePath
    /// This project's program; nil for the one that runs.
    let program: String?
    /// Where sources are made; nil for the temporary directory.
    let sources: FilePath?

    /// What a session tells as it goes.
    public enum Event {
        /// A target's turn has come.
        case begin(String)
        case progress(CorrectnessRun.Progress)
    }

    /// What a session came to.
    public struct Outcome: Sendable {
        public var targets: [String] = []
        public var results: [TestResult] = []
        /// Where evidence was saved.
        public var output: String
        /// What could not be removed.
        public var leftBehind: [String] = []
        /// What of the results could not be written; the run was stopped there. Nil if all is there.
        public var lost: ResultsKeeping.Loss?
    }

    public init(
        targets: [Target], directory: String? = nil, options: CorrectnessOptions, output: FilePath,
        program: String? = nil,
        sources: FilePath? = nil
    ) {
        self.targets = targets
        self.directory = directory
        self.options = options
        self.output = output
        self.program = program
        self.sources = sources
    }

    /// Runs it all; nothing but results and evidence stays.
    ///
    /// - Throws: ``CorrectnessUnavailable``.
    public func run(_ listener: @escaping (Event) -> Void) throws -> Outcome {
        let bench: Workbench
        do {
            bench = try Workbench(output: output, program: program, temporary: sources, pace: options.pace)
        } catch {
            throw CorrectnessUnavailable(description: "no temporary directory can be made: \(error)")
        }
        bench.closeOnSignals()
        let file = ResultFile(output.appending("results.jsonl"), keeping: bench.keeping)
        var told: [TestResult] = []
        func notify(_ event: Event) {
            if case .progress(let progress) = event, let result = progress.result {
                told.append(result)
                file.append(result)
            }
            listener(event)
        }
        var outcome = Outcome(output: output.string)
        do {
            for target in targets { outcome = try run(target, bench, outcome, notify) }
            // The same transport with other options is no other transport.
            if targets.count > 1, Set(targets.map(\.transport)).count == targets.count,
                options.checks.isEmpty || options.checks.contains("differential-sequences")
            {
                outcome = try compare(targets, bench, outcome, notify)
            }
        } catch is ResultsKeeping.Loss {
            outcome.targets = told.map(\.target).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
            outcome.results = told
        } catch {
            bench.close()
            throw error
        }
        outcome.lost = bench.keeping.loss
        outcome.leftBehind = bench.close().failures.map { "\($0)" }
        return outcome
    }

    private func run(
        _ target: Target, _ bench: Workbench, _ before: Outcome, _ notify: @escaping (Event) -> Void
    ) throws -> Outcome {
        var outcome = before
        outcome.targets.append(target.label)
        notify(.begin(target.label))
        if target.kind == .directory {
            guard let path = directory.map({ realpath($0, nil) }), let path else {
                throw CorrectnessUnavailable(description: "there is no directory \(directory ?? "")")
            }
            defer { free(path) }
            let resolved = String(cString: path)
            let place = CorrectnessPlace(
                label: target.label, directory: resolved, source: resolved, plain: resolved, traits: .directory)
            outcome.results += try CorrectnessRun(on: place, options, bench: bench) { notify(.progress($0)) }.run()
            return outcome
        }
        let served = try ServedDirectory(target, bench: bench)
        defer { served.takeDown() }
        let place = CorrectnessPlace(
            label: target.label, directory: served.mountPoint.string,
            source: target.hasSource ? served.source.string : nil, plain: served.plain.string, traits: served.traits)
        outcome.results += try CorrectnessRun(on: place, options, bench: bench, served: served) {
            notify(.progress($0))
        }.run()
        return outcome
    }

    /// Transport against transport: the first with each other one.
    private func compare(
        _ targets: [Target], _ bench: Workbench, _ before: Outcome, _ notify: @escaping (Event) -> Void
    ) throws -> Outcome {
        var outcome = before
        var shorter = options
        shorter.checks = ["differential-sequences"]
        if shorter.duration == nil { shorter.duration = 5 }
        for other in targets.dropFirst() {
            let label = "\(other.label)-against-\(targets[0].label)"
            outcome.targets.append(label)
            notify(.begin(label))
            let subject = try ServedDirectory(other, bench: bench)
            defer { subject.takeDown() }
            let reference = try ServedDirectory(targets[0], bench: bench)
            defer { reference.takeDown() }
            let place = CorrectnessPlace(
                label: label, directory: subject.mountPoint.string, source: nil, plain: reference.mountPoint.string,
                traits: TargetTraits(isMount: true))
            outcome.results += try CorrectnessRun(on: place, shorter, bench: bench, served: subject) {
                notify(.progress($0))
            }.run()
        }
        return outcome
    }
}
