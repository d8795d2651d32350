import BenchCore
import Glibc
public import SystemPackage

/// The project's folder `xfstests-config`: sections, exclude lists, baselines.
public struct XFSTestsFolder: Sendable {
    public let path: FilePath

    public init(_ path: FilePath) {
        self.path = path
    }

    /// Where it lies: `FSTESTKIT_XFSTESTS_CONFIG`, the working directory, or beside or above the program (in a build) or below
    /// its prefix (where it is installed).
    public static func find(program: String) -> XFSTestsFolder? {
        var candidates: [FilePath] = []
        if let chosen = getenv("FSTESTKIT_XFSTESTS_CONFIG") { candidates.append(FilePath(String(cString: chosen))) }
        candidates.append("xfstests-config")
        var folder = FilePath(program).removingLastComponent()
        while folder.components.count > 0 {
            candidates += [folder.appending("xfstests-config"), folder.appending("share/fstestkit/xfstests-config")]
            folder.removeLastComponent()
        }
        return candidates.first { access($0.appending("sections").string, R_OK) == 0 }.map(XFSTestsFolder.init)
    }

    public var sections: [(name: String, options: String)] {
        XFSTestsFolder.parse(sections: contents(of: path.appending("sections").string) ?? "")
    }

    public func excludes() throws(XFSTestsExcludes.Problem) -> XFSTestsExcludes {
        try XFSTestsExcludes(folder: path.appending("exclude"))
    }

    public func baseline(kernel: String, section: String, backing: String) -> FilePath {
        path.appending("baselines").pushing(
            XFSTestsBaseline.fileName(kernel: kernel, section: section, backing: backing))
    }

    /// `uring_percore  transport=uring-percore`, one line for each; `#` begins a comment.
    static func parse(sections text: String) -> [(name: String, options: String)] {
        text.split(separator: "\n").compactMap { line in
            let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace).map(String.init)
            guard let name = words.first, name.allSatisfy({ $0.isLetter || $0.isNumber || "_-".contains($0) }) else {
                return nil
            }
            return (name, words.count > 1 ? words[1] : "")
        }
    }

    /// A transport as the command line names it, or a section.
    public static func section(for name: String) -> String { name.replacing("-", with: "_") }
}
