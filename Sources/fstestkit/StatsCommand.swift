import ArgumentParser
import FUSEServer
import Foundation
import LinuxSystem
import SystemPackage

struct StatsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Show what a running daemon has served, and over what.",
        discussion: "Only the mount's owner may ask. Asking slows nothing down.")

    @Argument(help: "Where it is mounted.")
    var mountPoint: FilePath
    @Flag(help: "Again every second, until interrupted.")
    var watch = false
    @Flag(help: "As JSON.")
    var json = false

    func run() throws {
        repeat {
            guard let entry = try MountedAt.find(mountPoint) else { throw fail("\(mountPoint) is no FUSE mount") }
            let document: Data
            do throws(Errno) {
                document = try StatisticsSocket.ask(connection: entry.minor, uid: StatsCommand.owner(of: entry))
            } catch .permissionDenied {
                throw fail("the daemon at \(mountPoint) belongs to someone else; only its owner may ask")
            } catch .timedOut {
                throw fail("\(mountPoint): \(MountDiagnosis(entry).sentence)", .software)
            } catch {
                throw fail("no daemon of fstestkit answers for \(mountPoint): \(error)")
            }
            if json {
                print(String(decoding: document, as: UTF8.self))
            } else {
                let statistics = try JSONDecoder().decode(SessionStatistics.self, from: document)
                if watch && isatty(1) == 1 { print("\u{1b}[H\u{1b}[J", terminator: "") }
                print(StatsCommand.table(statistics))
            }
            fflush(nil)
            if watch { sleep(1) }
        } while watch
    }

    /// The user who mounted it, which the kernel shows as `user_id`.
    static func owner(of entry: MountEntry) -> UInt32 {
        entry.superOptions.split(separator: ",").compactMap { option in
            option.hasPrefix("user_id=") ? UInt32(option.dropFirst("user_id=".count)) : nil
        }.first ?? 0
    }

    private static func table(_ statistics: SessionStatistics) -> String {
        var lines = ["\(statistics.transport) on \(statistics.mountPoint), process \(statistics.processID)"]
        lines[0] += ", \(statistics.threads) thread(s)"
        for (name, value) in statistics.settings.sorted(by: { $0.key > $1.key }) { lines[0] += ", \(name) \(value)" }
        lines.append("fetched \(statistics.fetched), committed \(statistics.committed)")
        if let data = statistics.data { lines += StatsCommand.lines(data) }
        let buffers = statistics.data?.payloads.buffersPerQueue ?? 0
        for queue in statistics.queues {
            let pool = buffers == 0 ? "" : " \(queue.buffersInUse) of \(buffers) payload buffers in use,"
            lines.append(
                "queue \(queue.queue): \(queue.free) of \(queue.capacity) entries free,\(pool)"
                    + " \(queue.fetched) fetched, \(queue.committed) committed, \(format(queue.meanBatch)) a batch")
        }
        lines.append(row("opcode", "queues", "/dev/fuse", "errors", "p50 µs", "p99 µs", "max µs"))
        for operation in statistics.opcodes {
            lines.append(
                row(
                    operation.name, "\(operation.queued)", "\(operation.device)", "\(operation.errors)",
                    format(operation.p50), format(operation.p99), format(operation.max)))
        }
        return lines.joined(separator: "\n")
    }

    /// Where data lay, and what that came to.
    private static func lines(_ data: SessionStatistics.DataPath) -> [String] {
        let payloads = data.payloads
        var lines = ["payloads: one for each entry"]
        if payloads.buffersPerQueue > 0 {
            let kind = payloads.isRegistered ? "registered" : "plain"
            let size = "\(payloads.buffersPerQueue) of \(payloads.bufferSize) bytes"
            lines = ["payloads: \(size) for each queue, \(kind) pools"]
        }
        lines[0] += payloads.zeroCopy ? ", zero copy" : ", no zero copy"
        if let reason = payloads.reason { lines[0] += " (\(reason))" }
        lines[0] += "; \(data.waiting) requests wait in the kernel"
        lines.append(
            "data: \(data.copiedBytes) bytes copied, \(data.zeroCopiedBytes) not (\(data.zeroCopiedRequests) requests);"
                + " \(data.rounds) requests went round")
        return lines
    }

    private static func format(_ value: Double) -> String { String(format: "%.1f", value) }

    private static func row(_ name: String, _ cells: String...) -> String {
        name.padding(toLength: 20, withPad: " ", startingAt: 0)
            + cells.map { String(repeating: " ", count: max(1, 11 - $0.count)) + $0 }.joined()
    }
}
