import BenchCore
import Foundation
import Testing

@testable import TestMatrix

@Suite struct SiteTests {
    private let folder: TemporaryFolder
    private let store: Store

    init() throws {
        folder = try TemporaryFolder()
        store = try folder.store()
    }

    /// Thirty nights: one test flakes, one fails since a new kernel, one was mended by it, one failed once.
    private func fill() throws {
        for day in 0..<30 {
            let isNew = day >= 15
            try store.record(
                .some("night-\(day)", day: day, kernel: isNew ? "6.18.10" : "6.18.9"),
                [
                    .some("a", "flaky", day % 3 == 0 ? .failed : .passed),
                    .some("a", "broken by the new one", isNew ? .failed : .passed),
                    .some("a", "<mended> by it", isNew ? .passed : .hung),
                    .some("a", "once", day == 4 ? .crashed : .passed), .some("a", "never"),
                    .some("a", "skipped", .skipped),
                ])
        }
    }

    private func page(_ name: String) throws -> String {
        try #require(try SiteReport(store).pages.first { $0.name == name }).text
    }

    @Test func flakesAreThoseThatComeAndGo() throws {
        try fill()
        let page = try page("flakes.html")
        #expect(page.contains("1 test changed between"))
        #expect(
            page.contains(
                "</span> a/<wbr>flaky</td><td class=\"number\">19</td><td class=\"number\">10 of 30 (19–51 %)"))
        #expect(!page.contains("broken by the new one") && !page.contains("once</td>"))
    }

    @Test func aKernelsRegressionsAreThoseOutsideOfChance() throws {
        try fill()
        let changes = KernelChange.all(in: try Trends(store).tests)
        #expect(changes.map(\.test.path).sorted() == ["a/<mended> by it", "a/broken by the new one"])
        #expect(changes.filter(\.isRegression).map(\.test.path) == ["a/broken by the new one"])
        // As versions go, not as letters do.
        #expect(changes[0].old.kernel == "6.18.9" && changes[0].new.kernel == "6.18.10")
        let page = try page("kernels.html")
        #expect(page.contains("6.18.10: 1 test."))
        #expect(page.contains("0 of 15 (0–20 %)"))
        #expect(page.contains("<code>night-15</code>"))
        #expect(page.contains("&lt;mended&gt; by it"))
    }

    @Test func weeksAreCountedFromMonday() {
        let monday = Date(timeIntervalSince1970: 1_790_553_600)  // 2026-09-28
        #expect(Format.day(monday) == "2026-09-28")
        #expect(Trends.week(of: monday - 1) + 1 == Trends.week(of: monday))
        #expect(Trends.monday(of: Trends.week(of: monday + 6 * 86400 + 86399)) == monday)
        #expect(Trends.week(of: Date(timeIntervalSince1970: 0)) == 0)
    }

    @Test func speedIsTheMedianOfTheWeek() throws {
        for (day, values) in [[100, 110, 120], [10.0, 20], [130, 140, 150]].enumerated() {
            var result = TestResult.some("read", "4k", suite: "bench", seconds: Double(day))
            result.measurement = Measurement(
                unit: "MB/s", isSpeed: true, values: values, settings: "s", isDisturbed: day == 1)
            try store.record(.some("\(day)", day: day), [result])
        }
        let trends = try Trends(store)
        #expect(trends.measurements.map(\.name) == ["bench/legacy read/4k"])
        #expect(trends.measurements[0].medians.values.flatMap(\.self).sorted() == [110, 140])
        #expect(try page("speed.html").contains("Last 125 MB/s, at most 125 MB/s"))
    }

    @Test func shardsAreNoRunsOfTheirOwn() throws {
        try store.record(.some("shard", shard: "1/2"), [.some("a", "b", .failed)])
        try store.record(.some("whole"), [.some("a", "b")])
        let trends = try Trends(store)
        #expect(trends.runs.map(\.record.id) == ["whole"])
        #expect(trends.tests.isEmpty)
    }

    @Test func thePagesNeedNothingElse() throws {
        try fill()
        let (first, bytes) = try SiteReport(store).write(to: folder.path + "/site")
        #expect(first == folder.path + "/site/index.html")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/site")
        #expect(Set(names) == ["index.html", "flakes.html", "kernels.html", "speed.html"])
        #expect(bytes < 200_000)
        for name in names {
            let page = try String(contentsOfFile: "\(folder.path)/site/\(name)", encoding: .utf8)
            #expect(!page.contains("http://") && !page.contains("https://") && !page.contains("src="))
            for link in page.matches(of: #/href="([^"]*)"/#) where link.1 != "data:," {
                #expect(names.contains(String(link.1)))
            }
        }
    }

    @Test func anEmptyStoreHasPagesToo() throws {
        #expect(try page("index.html").contains("0 runs"))
        #expect(try page("kernels.html").contains("There are none."))
    }
}
