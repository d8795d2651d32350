import BenchCore
import Glibc
public import SystemPackage

/// A built xfstests checkout, which is its user's own. Nothing is written into it.
public struct XFSTestsCheckout: Sendable {
    public enum Problem: Error, Sendable, Equatable {
        /// There is no `check` in it.
        case missing(String)
        /// The group lists or the programs are not there yet.
        case notBuilt(String)
        /// No test of this name.
        case unknownTest(String)
        /// No test is in this group.
        case emptyGroup(String)
    }

    public let path: FilePath
    /// Every test with its groups, in the order in which they are run.
    public let tests: [(name: String, groups: Set<String>)]

    /// Reads the lists of groups.
    ///
    /// - Parameter directories: the directories below `tests` whose tests are meant for this filesystem.
    public init(_ path: FilePath, directories: [String] = ["generic", "fuse"]) throws(Problem) {
        let resolved = realpath(path.string, nil)
        defer { free(resolved) }
        self.path = resolved.map { FilePath(String(cString: $0)) } ?? path
        guard access(self.path.appending("check").string, X_OK) == 0 else { throw .missing(path.string) }
        var tests: [(name: String, groups: Set<String>)] = []
        for directory in directories {
            let list = self.path.appending("tests/\(directory)/group.list")
            guard let text = BenchCore.contents(of: list.string) else { continue }
            tests += XFSTestsCheckout.parse(groupList: text, directory: directory)
        }
        if tests.isEmpty { throw .notBuilt(path.string) }
        self.tests = tests
    }

    /// `001 rw dir auto quick`, with comments.
    static func parse(groupList text: String, directory: String) -> [(name: String, groups: Set<String>)] {
        text.split(separator: "\n").compactMap { line -> (number: Int, name: String, groups: Set<String>)? in
            let words = line.prefix(while: { $0 != "#" }).split(whereSeparator: \.isWhitespace).map(String.init)
            guard let name = words.first, let number = Int(name.prefix(while: \.isNumber)) else { return nil }
            return (number, "\(directory)/\(name)", Set(words.dropFirst()))
        }.sorted { $0.number < $1.number }.map { ($0.name, $0.groups) }
    }

    public func groups(of test: String) -> Set<String> {
        tests.first { $0.name == test }?.groups ?? []
    }

    /// The tests that are chosen, in the order in which they are run. Nothing chosen means the group `auto`.
    ///
    /// - Parameters:
    ///   - groups: names of groups, `all` for every test.
    ///   - names: names of tests, `*` and `?` allowed.
    ///   - without: groups to leave out.
    public func select(
        groups: [String], names: [String] = [], without: [String] = []
    ) throws(Problem) -> [String] {
        for name in names where !tests.contains(where: { matches($0.name, name) }) { throw .unknownTest(name) }
        let groups = groups.isEmpty && names.isEmpty ? ["auto"] : groups
        for group in groups where group != "all" && !tests.contains(where: { isIn($0, group) }) {
            throw .emptyGroup(group)
        }
        return tests.filter { test in
            let chosen =
                groups.contains { $0 == "all" || isIn(test, $0) } || names.contains { matches(test.name, $0) }
            return chosen && !without.contains { isIn(test, $0) }
        }.map(\.name)
    }

    /// A group may be confined to one directory: `generic/quick`.
    private func isIn(_ test: (name: String, groups: Set<String>), _ group: String) -> Bool {
        guard let slash = group.lastIndex(of: "/") else { return test.groups.contains(group) }
        return test.name.hasPrefix(group[...slash]) && test.groups.contains(String(group[group.index(after: slash)...]))
    }

    private func matches(_ name: String, _ pattern: String) -> Bool {
        let pattern = pattern.hasPrefix("tests/") ? String(pattern.dropFirst(6)) : pattern
        return fnmatch(pattern, name, FNM_PATHNAME) == 0
    }
}
