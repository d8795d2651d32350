import BenchCore
import FoundationEssentials

/// What fio says in JSON: the part that is used.
struct FioOutput {
    /// Reads, writes and trims, of all clients.
    let operations: Double
    let operationsPerSecond: Double
    let bytesPerSecond: Double
    let latency: SpeedRecord.Latency?
    /// The clients' processor time in microseconds, in user and kernel mode.
    let clientTime: Double

    enum Failure: Error, Equatable {
        /// What fio said in place of JSON; nil for nothing.
        case said(String?)
        /// A job ended with an errno.
        case job(errno: Int)
    }

    /// - Parameter text: the whole of its output: warnings may stand before the JSON.
    init(_ text: String) throws(Failure) {
        guard
            let start = text.split(separator: "\n", omittingEmptySubsequences: false).first(where: { $0.first == "{" }),
            let document = try? JSONDecoder().decode(Document.self, from: Data(text[start.startIndex...].utf8))
        else {
            let lines = text.split(separator: "\n").map { $0.trimmingPrefix(" ") }
            let words =
                lines.first { $0.contains("fio:") } ?? lines.first { $0.contains("error") }
                ?? lines.last { $0.contains(where: \.isLetter) && !$0.hasPrefix("\"") }
            throw .said(words.map(String.init))
        }
        if let failed = document.jobs.first(where: { $0.error != 0 }) { throw .job(errno: failed.error) }
        let sides = document.jobs.flatMap { [$0.read, $0.write, $0.trim] }.compactMap(\.self).filter {
            $0.operations > 0
        }
        operations = sides.reduce(0) { $0 + $1.operations }
        operationsPerSecond = sides.reduce(0) { $0 + $1.perSecond }
        bytesPerSecond = sides.reduce(0) { $0 + $1.bytesPerSecond }
        // Of several groups, that of most operations: percentiles of different jobs make no common one.
        let largest = sides.max { $0.operations < $1.operations }
        latency = largest?.latency?.percentile.flatMap { percentile in
            guard let p50 = percentile["50.000000"], let p99 = percentile["99.000000"],
                let p999 = percentile["99.900000"]
            else { return nil }
            return SpeedRecord.Latency(p50: p50 / 1000, p99: p99 / 1000, p999: p999 / 1000)
        }
        clientTime = document.jobs.reduce(0) { sum, job in
            sum + (job.user + job.system) / 100 * job.runtime * 1000
        }
    }

    private struct Document: Decodable {
        let jobs: [Job]
    }

    private struct Job: Decodable {
        let error: Int
        /// Of all clients together, in milliseconds.
        let runtime: Double
        /// Percent of that.
        let user: Double
        let system: Double
        let read: Side?
        let write: Side?
        let trim: Side?

        private enum CodingKeys: String, CodingKey {
            case error, read, write, trim
            case runtime = "job_runtime"
            case user = "usr_cpu"
            case system = "sys_cpu"
        }
    }

    private struct Side: Decodable {
        let operations: Double
        let perSecond: Double
        let bytesPerSecond: Double
        let latency: Percentiles?

        private enum CodingKeys: String, CodingKey {
            case operations = "total_ios"
            case perSecond = "iops"
            case bytesPerSecond = "bw_bytes"
            case latency = "clat_ns"
        }
    }

    private struct Percentiles: Decodable {
        let percentile: [String: Double]?
    }
}
