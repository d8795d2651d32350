import BenchCore
import Foundation
import LinuxSystem

/// A run as a submission to KCIDB, the kernel community's database of test results: JSON of its I/O schema 5.3.
///
/// A kernel is a checkout with a build, a result a test of that build, and a finding an issue with an incident for each test that
/// shows it. What is hung or crashed is FAIL: it is the tested code that did not answer. A cell that was not run though it should have
/// been is MISS.
public struct KCIDBReport {
    private let report: RunReport
    private let origin: String

    /// Who submits, where nobody says. KCIDB's maintainers give each submitter a name.
    public static let usualOrigin = "fstestkit"

    /// - Parameter origin: lower-case letters, digits and underscores, see ``isOrigin(_:)``.
    public init(_ report: RunReport, origin: String) {
        self.report = report
        self.origin = origin
    }

    /// Whether KCIDB takes it.
    public static func isOrigin(_ text: String) -> Bool { text.wholeMatch(of: #/[a-z0-9_]+/#) != nil }

    public func text() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        return String(decoding: try encoder.encode(document), as: UTF8.self) + "\n"
    }

    private var document: Document {
        let kernels = report.cells.map { kernel(of: $0) }.uniqued()
        return Document(
            checkouts: kernels.map {
                Checkout(id: id("kernel", $0), origin: origin, comment: "Linux \($0)", valid: true)
            },
            builds: kernels.map {
                Build(
                    id: id("kernel", $0), checkoutID: id("kernel", $0), origin: origin,
                    architecture: report.run.machine.architecture, status: .pass)
            },
            tests: report.cells.flatMap(tests),
            issues: open.map {
                Issue(id: issue($0), origin: origin, reportSubject: plain($0.name.description))
            },
            incidents: open.flatMap { finding in
                finding.places.enumerated().map { index, place in
                    Incident(
                        id: "\(issue(finding)):\(report.run.id):\(index)", origin: origin, issueID: issue(finding),
                        testID: test(report.cells[place.cell], place.result), comment: plain(place.message))
                }
            })
    }

    private var open: [Finding] { report.findings.filter { $0.acceptance == nil } }

    private func tests(_ cell: CellReport) -> [Test] {
        var tests = cell.results.enumerated().map { index, result in
            Test(
                id: test(cell, index), buildID: id("kernel", kernel(of: cell)), origin: origin,
                path: path(cell, [result.area, result.name]), comment: plain(result.path),
                status: status(result.verdict), startTime: cell.record.started, duration: result.seconds,
                environment: environment, logExcerpt: result.message.isEmpty ? nil : plain(result.message),
                misc: misc(cell))
        }
        if cell.record.isMissing(inShard: report.run.shard) || cell.results.isEmpty {
            tests.append(
                Test(
                    id: test(cell, cell.results.count), buildID: id("kernel", kernel(of: cell)), origin: origin,
                    path: path(cell, []), comment: cell.record.cell.key,
                    status: cell.record.state == .leftOut ? .skip : .miss, startTime: cell.record.started,
                    duration: nil,
                    environment: environment, logExcerpt: cell.record.reason.isEmpty ? nil : plain(cell.record.reason),
                    misc: misc(cell)))
        }
        return tests
    }

    private func status(_ verdict: Verdict) -> Status {
        switch verdict {
        case .passed: .pass
        case .failed, .hung, .crashed: .fail
        case .skipped: .skip
        }
    }

    private var environment: Environment { Environment(comment: plain(report.run.machine.name)) }

    private func misc(_ cell: CellReport) -> Misc {
        Misc(run: report.run.id, cell: cell.record.cell.key, seed: "\(cell.record.seed)", tool: report.run.tool)
    }

    private func kernel(of cell: CellReport) -> String { cell.record.machine?.kernel ?? report.run.kernel }

    private func id(_ parts: String...) -> String { "\(origin):" + plain(parts.joined(separator: ":")) }

    private func test(_ cell: CellReport, _ index: Int) -> String {
        id(report.run.id, cell.record.cell.key, "\(index)")
    }

    /// The same for the same finding, in whatever run.
    private func issue(_ finding: Finding) -> String {
        var hash = FNV1a()
        hash.combine(finding.name.description.utf8)
        return id("finding", String(hash.value, radix: 16))
    }

    /// `fstestkit.correctness.uring-single.rename.over_an_open_file`: letters, digits, `_` and `-` between the dots.
    private func path(_ cell: CellReport, _ parts: [String]) -> String {
        ([KCIDBReport.usualOrigin, cell.record.cell.suite, cell.record.cell.columnOfKernel] + parts).map { part in
            let word = part.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") ? String($0) : "_" }.joined()
            return word.isEmpty ? "_" : word
        }.joined(separator: ".")
    }

    /// Without NUL, which the schema refuses.
    private func plain(_ text: String) -> String { text.replacing("\0", with: "\u{FFFD}") }

    private enum Status: String, Encodable { case pass = "PASS", fail = "FAIL", skip = "SKIP", miss = "MISS" }

    private struct Document: Encodable {
        let version = ["major": 5, "minor": 3]
        let checkouts: [Checkout]
        let builds: [Build]
        let tests: [Test]
        let issues: [Issue]
        let incidents: [Incident]
    }

    private struct Checkout: Encodable {
        let id, origin, comment: String
        let valid: Bool
    }

    private struct Build: Encodable {
        let id, checkoutID, origin, architecture: String
        let status: Status

        enum CodingKeys: String, CodingKey {
            case id, origin, architecture, status
            case checkoutID = "checkout_id"
        }
    }

    private struct Test: Encodable {
        let id, buildID, origin, path, comment: String
        let status: Status
        let startTime: Date?
        let duration: Double?
        let environment: Environment
        let logExcerpt: String?
        let misc: Misc

        enum CodingKeys: String, CodingKey {
            case id, origin, path, comment, status, duration, environment, misc
            case buildID = "build_id"
            case startTime = "start_time"
            case logExcerpt = "log_excerpt"
        }
    }

    private struct Environment: Encodable { let comment: String }

    private struct Misc: Encodable { let run, cell, seed, tool: String }

    private struct Issue: Encodable {
        let id, origin: String
        let version = 1
        let reportSubject: String

        enum CodingKeys: String, CodingKey {
            case id, origin, version
            case reportSubject = "report_subject"
        }
    }

    private struct Incident: Encodable {
        let id, origin, issueID: String
        let issueVersion = 1
        let testID, comment: String
        let present = true

        enum CodingKeys: String, CodingKey {
            case id, origin, comment, present
            case issueID = "issue_id"
            case issueVersion = "issue_version"
            case testID = "test_id"
        }
    }
}
