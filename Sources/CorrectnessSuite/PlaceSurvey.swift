import CBench
import Glibc

/// What a daemon of others can do at all, found out by trying it before the first check.
struct PlaceSurvey: Codable, Sendable {
    /// What of the mount is seen behind it.
    var mirrored: MirroredAspects = []
    /// What the source has and the mount has not: one finding, and no failure of each check that needs it.
    var missing: [Feature] = []

    /// - Parameter directory: empty, on the mount; `source` is the same behind it.
    init(_ directory: Path, source: Path?) throws {
        guard let source else { return }
        missing = Feature.allCases.filter {
            !$0.isBeyondFUSE && $0.missing(directory) != nil && $0.missing(source) == nil
        }
        let file = directory / "survey"
        try FS.create(file, "what is seen behind")
        defer { _ = try? FS.unlink(file) }
        mirrored = PlaceSurvey.mirrored(directory, source)
    }

    /// Changes one thing after the other on the mount, and looks for it behind it.
    private static func mirrored(_ directory: Path, _ source: Path) -> MirroredAspects {
        let (file, behind) = (directory / "survey", source / "survey")
        var result: MirroredAspects = []
        func isSeen(_ aspect: MirroredAspects, _ change: () throws -> Void) -> Bool {
            guard (try? change()) != nil else { return false }
            let comparison = SourceComparison(mount: directory, source: source, aspects: aspect)
            return comparison.lastingDifference(within: 0.5) == nil
        }
        guard isSeen(.content, {}), (try? FS.exists(behind)) == true else { return [] }
        result.insert(.content)
        if isSeen(.mode, { try FS.chmod(file, 0o613) }) { result.insert(.mode) }
        if getuid() == 0, isSeen(.owner, { try FS.chown(file, 60001, 60002) }) { result.insert(.owner) }
        if isSeen(.times, { try FS.setTimes(file, accessed: nil, modified: FileTime(5, 6)) }) { result.insert(.times) }
        let second = directory / "survey-link"
        if isSeen(.links, { try FS.link(file, second) }) { result.insert(.links) }
        _ = try? FS.unlink(second)
        if isSeen(.extendedAttributes, { try FS.setxattr(file, "user.survey", [1]) }) {
            result.insert(.extendedAttributes)
        }
        return result
    }

    /// What a person should know, once: nil if all is as with the source.
    func note(of source: Bool) -> String? {
        var parts: [String] = []
        if !missing.isEmpty {
            parts.append(
                "the daemon has no \(missing.map(\.rawValue).joined(separator: ", no ")), though its source has:"
                    + " what needs it is left out")
        }
        if source && !mirrored.contains(.content) {
            parts.append("what is on the mount is not seen in its source: nothing is looked for there")
        } else if source {
            let names: [(MirroredAspects, String)] = [
                (.mode, "mode"), (.owner, "owner"), (.times, "mtime"), (.links, "link count"),
                (.extendedAttributes, "extended attributes"),
            ]
            let others = names.filter { !mirrored.contains($0.0) }.map(\.1)
            if !others.isEmpty {
                parts.append("in its source files have another \(others.joined(separator: ", another ")): not compared")
            }
        }
        return parts.isEmpty ? nil : parts.joined(separator: "; ")
    }
}

extension Feature: Codable {}
