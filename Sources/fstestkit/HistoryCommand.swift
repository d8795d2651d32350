import ArgumentParser
import Foundation
import LinuxSystem
import BenchCore
import SystemPackage
import TestMatrix

struct HistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Show since when a test fails, how often, and where.",
        discussion: """
            Without a test: every test that has ever failed. With one, by its name or a part of suite/area/name: its record on each \
            transport and kernel, and the last times it ran.

            Rates come with an interval (Wilson, 95 %): 1 failure in 3 runs says little, 100 in 300 says much.
            """)

    @Argument(help: "A test's name or a part of it.")
    var test: String?
    @OptionGroup var store: StoreOptions
    @Option(help: "Only on this transport or daemon.")
    var target: String?
    @Option(help: "Rows at most.", transform: { try Numbers.count($0, 1...1_000_000) })
    var limit = 40
    @Flag(help: "List the runs instead.")
    var runs = false
    @Flag(help: "As JSON.")
    var json = false

    func run() throws {
        let store = try store.open()
        if runs { return try words { try showRuns(store) } }
        guard let test else { return try words { try showTroubles(store) } }
        let found = try words { try store.tests(matching: test) }
        if found.isEmpty { throw fail("no test is called '\(test)'") }
        if json { return try showJSON(try found.prefix(limit).map { try document($0, store) }) }
        if found.count > 1 { notice("\(found.count) tests match") }
        for name in found.prefix(limit) { try words { try show(name, store) } }
    }

    private func showRuns(_ store: Store) throws {
        let found = try store.runs(limit: limit)
        if json {
            return try showJSON(
                found.map { ["id": $0.id, "kernel": $0.kernel, "state": $0.state.rawValue, "tool": $0.tool] })
        }
        var table = TextTable("run", "state", "kernel", "tool", "shard", "")
        for run in found {
            table.add([
                run.id, run.state.rawValue, run.kernel, run.tool, run.shard ?? "",
                run.baseline == nil ? "" : "baseline",
            ])
        }
        print(table.text())
    }

    private func showTroubles(_ store: Store) throws {
        let everFailed = try store.everFailed(target: target)
        if json { return try showJSON(Array(everFailed.prefix(limit))) }
        if everFailed.isEmpty { return print("no test has ever failed") }
        var table = TextTable("test", "target", "standing", "failed", "since", "last passed")
        for trouble in everFailed.prefix(limit) {
            table.add([
                TestName(suite: trouble.suite, area: trouble.area, name: trouble.name).path, trouble.target,
                trouble.standing,
                trouble.failures.text,
                trouble.failsSince?.run ?? "", trouble.lastPass?.run ?? "never",
            ])
        }
        print(table.text())
        if everFailed.count > limit { print("… and \(everFailed.count - limit) more (--limit)") }
    }

    private func show(_ name: TestName, _ store: Store) throws {
        print(name.path)
        for history in try store.history(of: name, target: target) {
            var line = "  \(history.target): \(history.standing), failed \(history.failures.text)"
            if history.skips > 0 { line += ", skipped \(history.skips)" }
            if let since = history.failsSince { line += ", since \(since.run) (Linux \(since.kernel))" }
            if let last = history.lastPass, history.failures.count > 0 { line += ", last passed in \(last.run)" }
            print(line)
        }
        let kernels = try store.kernels(of: name, target: target)
        if Set(kernels.map(\.kernel)).count > 1 {
            var table = TextTable("  kernel", "target", "failed")
            for kernel in kernels { table.add(["  " + kernel.kernel, kernel.target, kernel.failures.text]) }
            print(table.text())
        }
        var table = TextTable("  run", "target", "verdict", "time", "message")
        for time in try store.occurrences(of: name, target: target, limit: min(limit, 20)) {
            table.add([
                "  " + time.run, time.target, time.verdict.rawValue, String(format: "%.2f s", time.seconds),
                time.message,
            ])
        }
        print(table.text(width: isatty(STDOUT_FILENO) == 1 ? Terminal.size(of: STDOUT_FILENO).width : nil) + "\n")
    }

    private struct Document: Encodable {
        let test: TestName
        let targets: [TestHistory]
        let kernels: [KernelHistory]
        let times: [TestOccurrence]
    }

    private func document(_ name: TestName, _ store: Store) throws -> Document {
        Document(
            test: name, targets: try store.history(of: name, target: target),
            kernels: try store.kernels(of: name, target: target),
            times: try store.occurrences(of: name, target: target, limit: limit))
    }
}

/// Prints a value as JSON.
func showJSON(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .iso8601
    print(String(decoding: try encoder.encode(value), as: UTF8.self))
}
