import BenchCore
import CLinux
public import SystemPackage

/// The exclude lists: one file for each cause, one test on each line with its reason. `check -E` takes them as they are.
public struct XFSTestsExcludes: Sendable {
    public struct Entry: Sendable, Hashable {
        public let test: String
        public let reason: String
        /// Who is to blame: `kernel`, `backing`, `environment` or `us`.
        public let blame: String
        /// The list's file name, which names the cause.
        public let list: String
    }

    public enum Problem: Error, Sendable, Equatable {
        /// File and line number, and what is wrong there.
        case malformed(String, Int, String)
    }

    public static let blames: Set<String> = ["kernel", "backing", "environment", "us"]

    /// The capabilities that `# unless:` may name, by their numbers.
    private static let capabilities: [String: Int32] = ["CAP_SYS_RESOURCE": 24]

    public private(set) var entries: [String: Entry] = [:]
    private var has: @Sendable (Int32) -> Bool = { clinux_has_effective_capability($0) == 1 }

    /// - Parameter has: whether tests will have a capability.
    public init(has: @escaping @Sendable (Int32) -> Bool) {
        self.has = has
    }

    /// Reads every `*.list` in a folder.
    public init(folder: FilePath) throws(Problem) {
        for name in names(in: folder.string).sorted() where name.hasSuffix(".list") {
            try read(contents(of: folder.appending(name).string) ?? "", list: String(name.dropLast(5)))
        }
    }

    /// `# blame: kernel` at the top, then `generic/001  # reason`. Below `# unless: CAP_SYS_RESOURCE` tests are named that
    /// lack of the capability would make fail.
    public mutating func read(_ text: String, list: String) throws(Problem) {
        var blame: String?
        var applies = true
        var number = 0
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            number += 1
            let comment = line.firstIndex(of: "#")
            let word = line[..<(comment ?? line.endIndex)].split(whereSeparator: \.isWhitespace).map(String.init)
            let remark =
                comment.map { line[line.index(after: $0)...].split(separator: " ").joined(separator: " ") } ?? ""
            if word.isEmpty {
                if remark.hasPrefix("blame:") {
                    blame = remark.dropFirst(6).split(separator: " ").first.map(String.init)
                } else if remark.hasPrefix("unless:") {
                    let name = String(remark.dropFirst(7).drop { $0 == " " })
                    guard let capability = XFSTestsExcludes.capabilities[name] else {
                        throw .malformed(list, number, "'# unless:' knows no \(name)")
                    }
                    applies = !has(capability)
                }
                continue
            }
            guard let blame, XFSTestsExcludes.blames.contains(blame) else {
                throw .malformed(list, number, "no '# blame: kernel|backing|environment|us' above")
            }
            guard word.count == 1, word[0].contains("/"), !remark.isEmpty else {
                throw .malformed(list, number, "not 'TEST  # reason'")
            }
            guard applies else { continue }
            entries[word[0]] = Entry(test: word[0], reason: remark, blame: blame, list: list)
        }
    }
}
