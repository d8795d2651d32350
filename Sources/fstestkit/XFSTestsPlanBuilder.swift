import ArgumentParser
import BenchCore
import Foundation
import TestMatrix
import SystemPackage
import XFSTestsSuite

/// Makes the plan of a run out of the command line, and explains it.
struct XFSTestsPlanBuilder {
    private let command: XFSTestsCommand
    private let folder: XFSTestsFolder
    private let server: XFSTestsPlan.Server
    private let backing: XFSTestsPlan.Backing
    private let checkoutPath: FilePath
    private static let transports = ["legacy", "uring_single", "uring_percore"]

    init(_ command: XFSTestsCommand) throws {
        self.command = command
        backing = try Self.backing(command)
        guard let folder = XFSTestsFolder.find(program: Bundle.main.executablePath ?? "") else {
            throw fail("no folder xfstests-config; name it by FSTESTKIT_XFSTESTS_CONFIG", .unavailable)
        }
        self.folder = folder
        switch (command.daemon, command.mountHelper) {
        case (nil, nil): server = .own
        case (let daemon?, nil):
            server = .daemon(daemon)
            try DaemonOption.require(Target(.command(daemon)))
        case (nil, let type?): server = .mountHelper(type)
        default: throw fail("either --daemon or --mount-helper", .validationFailure)
        }
        let named = command.xfstests ?? ProcessInfo.processInfo.environment["XFSTESTS_DIR"]
        guard let named else {
            throw fail("name your built checkout of xfstests by --xfstests or XFSTESTS_DIR", .validationFailure)
        }
        checkoutPath = FilePath(URL(fileURLWithPath: named).standardizedFileURL.path)
    }

    private static func backing(_ command: XFSTestsCommand) throws -> XFSTestsPlan.Backing {
        if let path = command.backingFolder { return .folder(URL(fileURLWithPath: path).standardizedFileURL.path) }
        guard ["ext4", "xfs", "btrfs", "tmpfs"].contains(command.backing) else {
            throw fail("--backing is ext4, xfs, btrfs or tmpfs", .validationFailure)
        }
        return .image(command.backing)
    }

    func preparation() -> XFSTestsPreparation {
        let usesRing = ((try? sections()) ?? []).contains { $0.options.contains("transport=uring") }
        return XFSTestsPreparation(
            checkout: checkoutPath, server: server, backing: backing, usesRing: usesRing)
    }

    /// The sections to run, with their mount options.
    private func sections() throws -> [(name: String, options: String)] {
        let further = command.options + (command.depth.map { ["depth=\($0)"] } ?? [])
        guard server == .own else {
            if !command.transport.isEmpty {
                throw fail("--transport is for this project's own daemon", .validationFailure)
            }
            let label = command.label ?? command.mountHelper ?? "daemon"
            let name = String(label.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
            return [(name, further.joined(separator: ","))]
        }
        let known = folder.sections
        if command.transport.isEmpty, let obstacle = Availability.current.ring {
            notice("left out: \(Self.transports.dropFirst().joined(separator: ", ")): \(obstacle)")
        }
        let words =
            command.transport.isEmpty
            ? Availability.current.ring == nil ? ["all"] : ["legacy"]
            : try Lists.split(command.transport, of: "--transport")
        var names: [String] = []
        for name in words.flatMap({ $0 == "all" ? Self.transports : [XFSTestsFolder.section(for: $0)] })
        where !names.contains(name) { names.append(name) }
        return try names.map { section in
            guard let found = known.first(where: { $0.name == section }) else {
                let all = known.map(\.name).joined(separator: ", ")
                throw fail("no section \(section); there are all and \(all)", .validationFailure)
            }
            return (section, ([found.options] + further).filter { !$0.isEmpty }.joined(separator: ","))
        }
    }

    func plan() throws -> XFSTestsPlan {
        let sections = try sections()
        let checkout = try checkout()
        var plan = XFSTestsPlan(
            checkout: checkout.path.string, sections: sections.map(\.name),
            options: Dictionary(sections.map { ($0.name, $0.options) }, uniquingKeysWith: { $1 }),
            tests: try selection(checkout), kernel: Self.kernel)
        plan.server = server
        plan.label = command.label
        plan.backing = backing
        plan.imageSize = command.imageSize
        plan.quick = Set(plan.tests.filter { checkout.groups(of: $0).contains("quick") })
        plan.cycles = command.cycles ?? (command.untilFailure ? nil : 1)
        plan.untilFailure = command.untilFailure
        plan.reruns = command.rerunFailed
        plan.testTimeout = command.testTimeout
        if command.shuffle { plan.shuffleSeed = command.seed ?? UInt64.random(in: 0...999_999) }
        if !command.noExcludes {
            do throws(XFSTestsExcludes.Problem) {
                let entries = try folder.excludes().entries
                for test in plan.tests {
                    if let entry = entries[test] { plan.excluded[test] = "\(entry.blame): \(entry.reason)" }
                }
            } catch {
                guard case .malformed(let list, let line, let what) = error else { throw error }
                throw fail("xfstests-config/exclude/\(list).list, line \(line): \(what)", .validationFailure)
            }
        }
        if command.baseline != "none" {
            for section in plan.sections {
                let path = try baselinePath(section, plan)
                let isThere = FileManager.default.isReadableFile(atPath: path.string)
                if isThere { plan.baselines[section] = path.string }
                if !isThere && command.baseline != nil && !command.updateBaseline {
                    throw fail("no baseline \(path)", .validationFailure)
                }
            }
        }
        return plan
    }

    func baselinePath(_ section: String, _ plan: XFSTestsPlan) throws -> FilePath {
        if let file = command.baseline, file != "none" {
            return FilePath(URL(fileURLWithPath: file).standardizedFileURL.path)
        }
        let path = folder.baseline(kernel: plan.kernel, section: section, backing: plan.backing.description)
        return FilePath(URL(fileURLWithPath: path.string).standardizedFileURL.path)
    }

    private func checkout() throws -> XFSTestsCheckout {
        do throws(XFSTestsCheckout.Problem) {
            return try XFSTestsCheckout(checkoutPath)
        } catch {
            switch error {
            case .missing(let path): throw fail("no xfstests in \(path)", .unavailable)
            default: throw fail("xfstests in \(checkoutPath) is not built: make -C '\(checkoutPath)'", .unavailable)
            }
        }
    }

    private func selection(_ checkout: XFSTestsCheckout) throws -> [String] {
        let groups = try Lists.split(command.groups, of: "-g")
        let without = try Lists.split(command.withoutGroups, of: "-x")
        do throws(XFSTestsCheckout.Problem) {
            return try checkout.select(groups: groups, names: command.tests, without: without)
                .filter { !command.skip.contains($0) }
        } catch {
            switch error {
            case .emptyGroup(let group): throw fail("no test is in the group \(group)", .validationFailure)
            case .unknownTest(let test): throw fail("there is no test \(test)", .validationFailure)
            default: throw fail("\(error)", .unavailable)
            }
        }
    }

    /// What would run, what would not, and why, as far as is known beforehand.
    func listing(_ plan: XFSTestsPlan) -> String {
        var lines: [String] = []
        for section in plan.sections {
            let expected = plan.baselines[section].flatMap { try? String(contentsOfFile: $0, encoding: .utf8) }
                .flatMap { try? XFSTestsBaseline($0) }
            let runs = plan.tests.count { plan.excluded[$0] == nil && expected?.tests[$0]?.outcome != .notrun }
            lines.append("\(plan.target(section)): \(plan.tests.count) selected, \(runs) would run")
            for test in plan.tests {
                if let reason = plan.excluded[test] {
                    lines.append("  \(test)  excluded: \(reason)")
                } else if let before = expected?.tests[test], before.outcome == .notrun {
                    lines.append("  \(test)  would not run: \(before.note)")
                } else {
                    let before = expected?.tests[test].map { "  (expected: \($0.outcome.rawValue))" } ?? ""
                    lines.append("  \(test)\(before)")
                }
            }
        }
        return lines.joined(separator: "\n")
    }

    private static var kernel: String {
        (try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8))?
            .trimmingCharacters(in: .whitespacesAndNewlines) ?? "unknown"
    }
}
