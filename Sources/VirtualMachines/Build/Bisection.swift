import Foundation
package import SystemPackage

/// A search for the commit that broke a kernel, by git-bisect(1), in a work tree of its own: the repository's own work tree, index
/// and bisection stay as they are.
package struct Bisection {
    /// What a commit turns out to be.
    package enum Verdict: String, Sendable {
        case good
        case bad
        /// It cannot be told: no build, no boot, no feature.
        case skip
    }

    /// How the search ended.
    package enum End: Equatable, Sendable {
        /// The first bad commit: its id and subject.
        case found(id: String, subject: String)
        /// The first bad commit is one of these; the others cannot be told.
        case oneOf([String])
    }

    private let tree: WorkTree
    private let good: String
    private let bad: String

    /// - Parameters:
    ///   - repository: a git repository with a kernel in it.
    ///   - workTree: a folder that is not there yet, and is gone after ``remove()``.
    /// - Throws: ``VirtualMachineError/programFailed(_:status:said:)`` where git does not know the revisions.
    package init(
        repository: FilePath, workTree: FilePath, good: String, bad: String
    ) throws(VirtualMachineError) {
        self.good = try WorkTree.commit(good, in: repository)
        self.bad = try WorkTree.commit(bad, in: repository)
        tree = try WorkTree(workTree, of: repository, at: self.bad)
    }

    package var folder: FilePath { tree.folder }

    /// Looks at both ends first: a search between ends that are not what they are said to be finds nothing.
    ///
    /// - Parameters:
    ///   - say: takes a line about what comes next.
    ///   - verdict: tells of the commit that lies in ``folder``.
    package func run(
        say: (String) -> Void, verdict: (_ commit: String) throws -> Verdict
    ) throws -> End {
        for (commit, expected) in [(bad, Verdict.bad), (good, .good)] {
            try tree.git(["checkout", "-q", "--detach", commit])
            say("the \(expected.rawValue) end: \(try tree.title(of: commit))")
            let found = try verdict(commit)
            if found != expected { throw VirtualMachineError.wrongEnd(commit, expected: expected, found: found) }
        }
        try tree.git(["bisect", "start", bad, good])
        var steps = 0
        while true {
            if let end = try end() { return end }
            steps += 1
            let commit = try WorkTree.commit("HEAD", in: folder)
            say("step \(steps): \(try tree.title(of: commit))\(try left())")
            let found = try verdict(commit)
            try mark(found)
        }
    }

    /// git's own account of it.
    package var log: String { (try? tree.git(["bisect", "log"])) ?? "" }

    package func remove() { tree.remove() }

    private func mark(_ verdict: Verdict) throws(VirtualMachineError) {
        do throws(VirtualMachineError) {
            try tree.git(["bisect", verdict.rawValue])
        } catch .programFailed(let command, let status, let said) {
            // Status 2: all that is left was skipped.
            if try end() == nil { throw .programFailed(command, status: status, said: said) }
        }
    }

    /// From git's account; nil while there is something to try.
    private func end() throws(VirtualMachineError) -> End? {
        let lines = try tree.git(["bisect", "log"]).split(separator: "\n").map(String.init)
        if let line = lines.last(where: { $0.hasPrefix("# first bad commit: [") }) {
            let words = line.dropFirst("# first bad commit: [".count).split(separator: "]", maxSplits: 1)
            return .found(
                id: String(words.first ?? ""),
                subject: words.count > 1 ? words[1].trimmingCharacters(in: .whitespaces) : "")
        }
        let possible = lines.filter { $0.hasPrefix("# possible first bad commit: [") }
        if possible.isEmpty { return nil }
        return .oneOf(possible.map { String($0.dropFirst("# possible first bad commit: ".count)) })
    }

    private func left() throws(VirtualMachineError) -> String {
        let text = try tree.git(["bisect", "visualize", "--oneline", "--no-decorate"])
        let count = text.split(separator: "\n").count
        return count > 1 ? ", one of \(count)" : ""
    }
}
