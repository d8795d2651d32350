/// Why a subject is as fast as it is: medians over the rounds.
public struct SpeedCosts: Sendable {
    public var latency: SpeedRecord.Latency?
    /// Requests that the kernel sent for each operation.
    public var requestsPerOperation: Double?
    /// Processor time in microseconds, for each operation.
    public var daemonUser: Double
    public var daemonSystem: Double
    public var client: Double
    public var kernelThreads: Double
    /// The daemon's processor time in microseconds, for each request; nil where none were counted, or next to none sent.
    public var daemonForRequest: Double?
    // For each request, or, where there are next to none, for each operation:
    public var switches: Double
    public var wakeUps: Double?
    public var interrupts: Double?
    public var instructions: Double?
    public var batch: Double?
    public var queues: [Double]?
    public var device: Double?
    /// How requests went: by the ring or by `/dev/fuse`; nil where nobody counted.
    public var way: String?
}

extension SpeedRecord {
    /// - Returns: nil if the job gave nothing on this subject.
    public func costs(job: Int, subject: Int) -> SpeedCosts? {
        let own = trials.filter { $0.job == job && $0.subject == subject && $0.value != nil && $0.operations > 0 }
        let rounds = own.filter { $0.round > 0 }
        guard !rounds.isEmpty else { return nil }
        let warmUp = own.first { $0.round == 0 }
        let counts = warmUp?.counts
        let perOperation = counts?.requests.flatMap { requests in warmUp.map { requests / $0.operations } }
        // What is answered from the page cache asks the daemon for next to nothing: there an operation is the measure.
        let units = perOperation.flatMap { $0 >= 0.01 ? $0 : nil }
        func median(_ value: (Trial) -> Double?) -> Double { MedianQuotient.median(rounds.compactMap(value)) }
        func cost(_ value: @escaping (Costs) -> Double) -> Double {
            median { trial in trial.costs.map { value($0) / trial.operations } }
        }
        func count(_ value: Double?) -> Double? {
            value.flatMap { value in warmUp.map { value / $0.operations / (units ?? 1) } }
        }
        let latencies = rounds.compactMap(\.latency)
        return SpeedCosts(
            latency: latencies.isEmpty
                ? nil
                : Latency(
                    p50: MedianQuotient.median(latencies.map(\.p50)), p99: MedianQuotient.median(latencies.map(\.p99)),
                    p999: MedianQuotient.median(latencies.map(\.p999))),
            requestsPerOperation: perOperation, daemonUser: cost(\.daemonUser),
            daemonSystem: cost(\.daemonSystem), client: cost(\.client), kernelThreads: cost(\.kernelThreads),
            daemonForRequest: units.map { cost { $0.daemonUser + $0.daemonSystem } / $0 },
            switches: cost(\.switches) / (units ?? 1), wakeUps: count(counts?.wakeUps),
            interrupts: count(counts?.interrupts),
            instructions: count(counts?.instructions), batch: counts?.batch, queues: counts?.queues,
            device: counts?.device, way: counts.flatMap(SpeedRecord.way))
    }

    /// The way of the requests, by what the kernel counted of the daemon's commands.
    private static func way(_ counts: RequestCounts) -> String? {
        guard let requests = counts.requests, requests > 0, let commands = counts.ringCommands else { return nil }
        // A request that needs no answer has no command, and the first of each entry was given before.
        return commands >= requests / 2 ? "ring" : commands >= requests / 50 ? "ring and /dev/fuse" : "/dev/fuse"
    }
}
