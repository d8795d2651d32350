import BenchCore
import Foundation

extension SiteReport {
    /// How each group did week by week, and the runs.
    var weeks: Markup {
        let groups: [Markup] = trends.groups.map { group in
            let failures = group.weeks.mapValues { Proportion($0.failures, of: $0.executed) }
            let last = group.weeks.max { $0.key < $1.key }?.value ?? Counts()
            return """
                <tr><td>\(PageReport.breakable(group.name))</td><td>\(TrendPlots.failures(failures, over: trends.weeks))</td>\
                <td class="number">\(last.text)</td></tr>
                """
        }
        let runs: [Markup] = trends.runs.prefix(SiteReport.limit).map { run in
            let counts = run.counts
            let state: Verdict = counts.failures > 0 ? .failed : counts.executed == 0 ? .skipped : .passed
            let word = run.record.state == .finished ? state.rawValue : "not finished"
            return """
                <tr><td class="number">\(Format.day(run.record.started))</td>\
                <td><span class="chip \(state.rawValue)">\(word)</span></td><td class="number">\(counts.text)</td>\
                <td class="number">\(Format.duration(run.seconds))</td><td>\(run.record.kernel)</td>\
                <td>\(run.record.machine.name)</td><td><code>\(run.record.id)</code></td></tr>
                """
        }
        return section(
            "Weeks",
            "Each bar is a week, as high as the share of tests that failed, beside the worst week of the row; a tick is one in which all "
                + "passed.",
            table(["suite and column", "weeks", "the last one"], groups))
            + section(
                "Runs", "The latest first.",
                table(["day", "", "tests", "time", "kernel", "machine", "run"], runs) + more(trends.runs.count))
    }

    /// Tests that have both passed and failed, those that changed most often first.
    var flakes: Markup {
        // Once broken and once mended is no flake.
        let flaky = trends.tests.filter { $0.changes > 2 }.sorted { one, other in
            (one.changes, other.path, other.target) > (other.changes, one.path, one.target)
        }
        let rows: [Markup] = flaky.prefix(SiteReport.limit).map { test in
            """
            <tr><td>\(name(test))</td><td class="number">\(test.changes)</td>\
            <td class="number">\(test.failures.text)</td><td>\(TrendPlots.failures(test.weeks, over: trends.weeks))</td>\
            <td>\(test.last.isFailure ? "failed" : "passed")</td></tr>
            """
        }
        return section(
            "Flakes",
            "\(Format.count(flaky.count, "test")) changed between passing and failing more than twice. Rates have Wilson's 95 % "
                + "interval: 1 of 3 says little, 100 of 300 much.",
            table(["test", "changes", "failed", "weeks", "last"], rows) + more(flaky.count))
    }

    /// What a kernel broke or mended.
    var kernels: Markup {
        let changes = KernelChange.all(in: trends.tests)
        let (worse, better) = (changes.filter(\.isRegression), changes.filter { !$0.isRegression })
        func rows(_ changes: [KernelChange]) -> [Markup] {
            changes.prefix(SiteReport.limit).map { change in
                let since = change.isRegression ? change.test.firstFailures[change.new.kernel] : nil
                let moment: Markup = since.map { "\(Format.day($0.date)) <code>\($0.run)</code>" } ?? ""
                return """
                    <tr><td>\(name(change.test))</td><td class="number">\(change.old.kernel)</td>\
                    <td class="number">\(change.old.failures.text)</td><td class="number">\(change.new.kernel)</td>\
                    <td class="number">\(change.new.failures.text)</td><td>\(moment)</td></tr>
                    """
            }
        }
        let headings = ["test", "kernel", "failed", "next kernel", "failed", "first seen"]
        let tests = Dictionary(grouping: worse, by: \.new.kernel).map { ($0, $1.count) }.sorted {
            $0.0.compare($1.0, options: .numeric) == .orderedDescending
        }
        let summary = tests.map { "\($0): \(Format.count($1, "test"))" }.joined(separator: ", ")
        return section(
            "Regressions by kernel",
            "Tests that fail more often on a kernel than on the one before it, where the intervals of both rates lie apart. "
                + (summary.isEmpty ? "There are none." : summary + "."),
            worse.isEmpty ? "" : table(headings, rows(worse)) + more(worse.count))
            + (better.isEmpty
                ? ""
                : section(
                    "Mended by kernel", "The other way round.",
                    table(headings, rows(better)) + more(better.count)))
    }

    /// Time of groups, and what was measured.
    var speed: Markup {
        let times: [Markup] = trends.groups.prefix(SiteReport.limit).map { group in
            figure(group.name, group.seconds.mapValues(MedianQuotient.median), Format.duration)
        }
        let measured: [Markup] = trends.measurements.prefix(SiteReport.limit).map { measurement in
            figure(measurement.name, measurement.medians.mapValues(MedianQuotient.median)) { value in
                String(format: value < 100 ? "%.2f" : "%.0f", value) + " \(measurement.unit)"
            }
        }
        return
            (measured.isEmpty
            ? ""
            : section(
                "Measured", "The median of each week's rounds, as bench has them; disturbed ones are left out.",
                #"<div class="plots">\#(measured)</div>"# + more(trends.measurements.count)))
            + section(
                "Time", "How long a cell took, the median of each week.",
                #"<div class="plots">\#(times)</div>"# + more(trends.groups.count))
    }

    private func figure(_ name: String, _ weeks: [Int: Double], _ text: (Double) -> String) -> Markup {
        """
        <figure class="trend"><figcaption>\(PageReport.breakable(name))</figcaption>\
        \(TrendPlots.values(weeks, over: trends.weeks, text))</figure>
        """
    }
}
