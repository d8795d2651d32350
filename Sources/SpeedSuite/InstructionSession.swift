public import BenchCore
import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// Counts instructions in place of time, in a guest whose clock counts them: kernel, daemon and client together, and the daemon's
/// own in user mode.
public struct InstructionSession {
    private let targets: [Target]
    private let bench: Workbench
    private let settings: String

    /// Requests before any is counted: a ring's thread tries its ways of waiting meanwhile.
    private static let warmUp = 1600
    /// Requests are counted in so many groups: the clock's own interrupts fall into some of them.
    private static let groups = 20
    private static let groupSize = 50
    /// Traces, and the requests of each: a comparison takes no fewer.
    private static let traces = RatioEstimate.fewestRounds
    private static let traced = 60

    /// - Parameter targets: daemons of others are mounted as their commands say.
    public init(_ targets: [Target], bench: Workbench) {
        self.targets = targets
        self.bench = bench
        var names = utsname()
        uname(&names)
        func text<Characters>(_ characters: Characters) -> String {
            withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }
        settings = "Linux \(text(names.release)) \(text(names.version))"
    }

    /// Results for each target.
    public static let resultsPerTarget = 2 * CountedRequest.allCases.count

    /// - Throws: ``SpeedUnavailable`` if something cannot be made.
    public func run(_ report: (TestResult) -> Void) throws(SpeedUnavailable) {
        for target in targets {
            do {
                try run(target, report)
            } catch let error as SpeedUnavailable {
                throw error
            } catch let error as TracepointCounter.Unavailable {
                throw SpeedUnavailable("\(target.label): \(error.reason)")
            } catch {
                throw SpeedUnavailable("\(target.label): \(error)")
            }
        }
    }

    private func run(_ target: Target, _ report: (TestResult) -> Void) throws {
        let number = bench.nextNumber()
        let source = try bench.makeFolder("source-\(number)")
        let content = [UInt8](repeating: 1, count: CountedClient.size * CountedClient.blocks)
        let file = try FileDescriptor.open(
            source.appending("file"), .writeOnly, options: [.create],
            permissions: FilePermissions(rawValue: 0o644))
        _ = try file.closeAfter { try file.writeAll(content) }
        var target = target
        if target.isOurs { target.options += ["-o", CountedRequest.mountOptions] }
        let daemon = try MountedDaemon.start(
            target, source: source, mountPoint: try bench.makeFolder("mnt-\(number)"), bench: bench)
        do {
            let client = try CountedClient(daemon.root.appending("file").string)
            for request in CountedRequest.allCases { try count(request, client, daemon, report) }
        } catch {
            daemon.forceDown()
            throw error
        }
        _ = daemon.stop(.unmount)
    }

    private func count(
        _ request: CountedRequest, _ client: CountedClient, _ daemon: MountedDaemon,
        _ report: (TestResult) -> Void
    ) throws {
        if let obstacle = try obstacle(request, client, daemon) {
            if daemon.target.isOurs { throw SpeedUnavailable(obstacle) }
            return report(skipped(request.rawValue, daemon, obstacle))
        }
        for number in 0..<InstructionSession.warmUp { try client.send(request, number) }
        var all: [Double] = []
        for _ in 0..<InstructionSession.groups {
            let start = ContinuousClock.now
            for number in 0..<InstructionSession.groupSize { try client.send(request, number) }
            all.append((ContinuousClock.now - start).seconds * 1e9 / Double(InstructionSession.groupSize))
        }
        report(result(request.rawValue, daemon, all))
        guard let process = daemon.process else { return }
        var own: [Double] = []
        for _ in 0..<InstructionSession.traces {
            let trace = try UserModeTrace(of: process.id)
            for number in 0..<InstructionSession.traced { try client.send(request, number) }
            own.append(try trace.end() / Double(InstructionSession.traced))
        }
        report(result(request.rawValue + ", daemon in user mode", daemon, own))
    }

    /// Each call of the client is one request of this kind, and no other; as the kernel counts, which costs instructions and is over
    /// before any are counted. What a daemon lets the kernel answer is no request.
    ///
    /// - Returns: what is so else; nil for nothing.
    private func obstacle(
        _ request: CountedRequest, _ client: CountedClient, _ daemon: MountedDaemon
    ) throws -> String? {
        guard let connection = daemon.connection else { return nil }
        let filter = "connection == \(connection.number)"
        let own = try TracepointCounter("fuse/fuse_request_send", filter: "\(filter) && opcode == \(request.opcode)")
        let all = try TracepointCounter("fuse/fuse_request_send", filter: filter)
        let calls = InstructionSession.groupSize
        // The first may have to ask for more.
        try client.send(request, 0)
        let before = (own.count, all.count)
        for number in 0..<calls { try client.send(request, number) }
        let counted = (own.count - before.0, all.count - before.1)
        if counted == (UInt64(calls), UInt64(calls)) { return nil }
        return
            "\(calls) calls of a client were \(counted.0) requests \(request.rawValue) and \(counted.1) in all: the kernel "
            + "answers some, or the daemon has it ask for more; see its options for caching"
    }

    private func skipped(_ name: String, _ daemon: MountedDaemon, _ reason: String) -> TestResult {
        TestResult(
            suite: "bench", target: daemon.target.label, area: "instructions", name: name, verdict: .skipped,
            seconds: 0,
            message: reason)
    }

    private func result(_ name: String, _ daemon: MountedDaemon, _ values: [Double]) -> TestResult {
        let measurement = Measurement(
            unit: "instructions/request", isSpeed: false, values: values, settings: settings)
        return TestResult(
            suite: "bench", target: daemon.target.label, area: "instructions", name: name, verdict: .passed, seconds: 0,
            message: "\(SpeedText.speed(measurement.median)) \(measurement.unit)", measurement: measurement)
    }
}
