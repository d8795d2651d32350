import ArgumentParser
import Foundation
import VirtualMachines
import LinuxSystem
import BenchCore
import TestMatrix

/// What shall be run, by flags; a file and the environment say the rest.
struct MatrixOptions: ParsableArguments {
    @Option(help: "Suites, with commas: correctness, stop-path, hostile-source, xfstests, the file's (default: all).")
    var suite: [String] = []
    @OptionGroup var transports: TransportOption
    @Option(
        help: "Kernels, with commas: host, or as vm run takes them, in guests; NAME=SPEC names one (default: host).")
    var kernel: [String] = []
    @Option(help: "A guest's CPUs, with commas (default: 2).")
    var cpus: [String] = []
    @Option(help: "CPUs that a guest may ever have (default: as many as it has).", transform: Numbers.cpus)
    var possible: Int?
    @Option(help: "NUMA nodes that a guest's CPUs and memory are spread over (default: 1).", transform: Numbers.nodes)
    var numa: Int?
    @Option(help: "A guest's memory in MiB (default: 1536).", transform: Numbers.memory)
    var memory: Int?
    @Option(help: "A guest's accelerator: kvm, tcg (emulation), or auto (default).")
    var accel: MachineSettings.Accelerator?
    @Flag(help: "Guests whose clock counts instructions: no load on this machine trips a deadline there.")
    var steady = false
    @Option(help: "Words for a guest's kernel. May be given again.")
    var append: [String] = []
    @Option(help: "A file that guests have too: PATH[:PATH-THERE]. May be given again.")
    var copy: [String] = []
    @Option(help: "Depths of the ring's queues, with commas (default: the daemon's).")
    var depth: [String] = []
    @OptionGroup var mountOptions: MountOptionsOption
    @Option(help: "How often everything is run.", transform: Numbers.cycles)
    var cycles: Int?
    @Flag(help: "The suites' quick forms: an answer in minutes.")
    var quick = false
    @Option(
        help: "Another daemon: 'COMMAND {source} {mountpoint}', staying in the foreground. May be given again.",
        transform: DaemonOption.command)
    var daemon: [String] = []
    @Option(
        help: "Another daemon, mounted by mount -t fuse.TYPE. May be given again.",
        transform: DaemonOption.mountHelper)
    var mountHelper: [String] = []
    @Option(help: "What the daemon is called in reports.")
    var label: [String] = []
    @Option(
        help: "A status that the daemon exits with when all is well. May be given again.", transform: Numbers.status)
    var cleanStatus: [Int32] = []
    @Option(help: "A built checkout of xfstests (default: XFSTESTS_DIR).")
    var xfstests: String?
    @Option(help: "Where all random choices begin (default: drawn, and recorded).", transform: Numbers.seed)
    var seed: UInt64?
    @Option(help: "Seconds without a word from a suite after which it counts as hung.", transform: Numbers.seconds)
    var timeout: Double?
    @Option(help: "The folder for the results, which hold those of earlier runs too (default: fstestkit-results).")
    var output: String?
    @Option(help: "A file of settings (default: fstestkit.yaml here, if there is one).")
    var config: String?

    func validate() throws {
        if !label.isEmpty && (label.count, daemon.count + mountHelper.count) != (1, 1) {
            throw ValidationError(
                "one --label goes with one --daemon or --mount-helper; the file of settings names several")
        }
        _ = try (depths(), processors(), suites())
    }

    /// All settings, the flags before the environment before the file.
    func resolved() throws -> ResolvedConfiguration {
        var layers = [try flags(), MatrixOptions.environment]
        if let file = try file() { layers.append(file) }
        let resolved = ResolvedConfiguration(layers)
        if let problem = resolved.configuration.problems.first { throw ValidationError(problem) }
        do throws(MountOptions.Refusal) {
            try MountOptionsOption.check(resolved.configuration.mountOptions)
        } catch {
            throw ValidationError("mount-options \(error.message)")
        }
        return resolved
    }

    private func flags() throws -> ConfigurationLayer {
        var layer = ConfigurationLayer()
        func say<Value>(
            _ key: String, _ flag: String, _ path: WritableKeyPath<ConfigurationLayer, Value?>, _ value: Value?
        ) {
            guard let value else { return }
            layer[keyPath: path] = value
            layer.origins[key] = flag
        }
        say("suites", "--suite", \.suites, try suites())
        say("transports", "--transport", \.transports, try transports.names())
        let daemons =
            daemon.map { MatrixConfiguration.TargetChoice(label: label.first, command: $0, cleanStatuses: cleanStatus) }
            + mountHelper.map {
                MatrixConfiguration.TargetChoice(label: label.first, mountHelper: $0, cleanStatuses: cleanStatus)
            }
        say("daemons", daemon.isEmpty ? "--mount-helper" : "--daemon", \.daemons, daemons.isEmpty ? nil : daemons)
        let kernels = try Lists.split(kernel, of: "--kernel").map(MatrixConfiguration.KernelChoice.init)
        say("kernels", "--kernel", \.kernels, kernels.isEmpty ? nil : kernels)
        say("cpus", "--cpus", \.cpus, try processors())
        say("possible", "--possible", \.possible, possible)
        say("numa", "--numa", \.numa, numa)
        say("memory", "--memory", \.memory, memory)
        say("accelerator", "--accel", \.accelerator, accel?.rawValue)
        say("steady", "--steady", \.steady, steady ? true : nil)
        say("append", "--append", \.append, append.isEmpty ? nil : append)
        say("copies", "--copy", \.copies, copy.isEmpty ? nil : copy)
        say("depths", "--depth", \.depths, try depths())
        say(
            "mount-options", "--mount-option", \.mountOptions,
            mountOptions.mountOption.isEmpty ? nil : mountOptions.mountOption)
        say("cycles", "--cycles", \.cycles, cycles)
        say("quick", "--quick", \.quick, quick ? true : nil)
        say("seed", "--seed", \.seed, seed)
        say("xfstests", "--xfstests", \.xfstests, xfstests)
        say("timeout", "--timeout", \.timeout, timeout)
        say("output", "--output", \.output, output)
        return layer
    }

    private static var environment: ConfigurationLayer {
        var layer = ConfigurationLayer()
        if let checkout = ProcessInfo.processInfo.environment["XFSTESTS_DIR"], !checkout.isEmpty {
            layer.xfstests = checkout
            layer.origins["xfstests"] = "XFSTESTS_DIR"
        }
        return layer
    }

    private func file() throws -> ConfigurationLayer? {
        if config == nil && !FileManager.default.fileExists(atPath: ConfigurationFile.name) { return nil }
        do {
            return try ConfigurationFile.read(config ?? ConfigurationFile.name)
        } catch let problem as ConfigurationFile.ParseError {
            throw ValidationError(problem.path + (problem.line.map { ":\($0)" } ?? "") + ": " + problem.what)
        }
    }

    private func suites() throws -> [String]? {
        let words = try Lists.split(suite, of: "--suite")
        return words.isEmpty ? nil : words
    }

    private func depths() throws -> [Int]? { try numbers(depth, "--depth", Numbers.depth) }

    private func processors() throws -> [Int]? { try numbers(cpus, "--cpus", Numbers.cpus) }

    private func numbers(
        _ texts: [String], _ flag: String, _ parse: (String) throws(NumberError) -> Int
    ) throws -> [Int]? {
        let words = try Lists.split(texts, of: flag)
        if words.isEmpty { return nil }
        return try words.map { word in
            do throws(NumberError) {
                return try parse(word)
            } catch {
                throw ValidationError("\(flag): \(error)")
            }
        }
    }
}
