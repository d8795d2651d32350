import Glibc
import LinuxSystem
import SystemPackage
import BenchCore

/// Where clients and adversary meet: few names, so that they meet often.
///
/// Below the run's folder lie `source`, `mount`, `outside` (what symbolic links in the source lead to) and `staging`, closed to all
/// but root, where the adversary makes things before it moves them into the source.
struct Arena: Codable, Sendable {
    /// The folder that all of it lies in.
    let folder: String
    /// Begins everything that is secret; found nowhere else.
    let mark: String
    /// Whether anybody makes FIFOs: a daemon that waits for the other end of one serves nobody any more.
    var hasFIFOs = true

    var source: String { folder + "/source" }
    var mountPoint: String { folder + "/mount" }
    var outside: String { folder + "/outside" }
    var staging: String { folder + "/staging" }
    /// Secrets that are mounted over `m0` and `m1`.
    var mountedDirectory: String { staging + "/mounted-directory" }
    var mountedFile: String { staging + "/mounted-file" }

    /// Directories of the source that are never replaced by anything but each other.
    static let directories = ["open", "sticky", "team"]
    static let names = (0..<5).map { "n\($0)" }
    /// Changes to and fro faster than any other.
    static let hotName = "hot"
    static let innerNames = ["n0", "n1"]
    /// A name that only private directories hold. Root's client never uses it: what it takes out of there would be public.
    static let inside = "inside"
    static let mountTargets = (directory: "m0", file: "m1")

    /// What a private file or attribute holds.
    func secret(_ number: Int, count: Int = 8192) -> [UInt8] {
        let line = Array("\(mark)-\(number);".utf8)
        return Array(unsafeUninitializedCapacity: count) { bytes, initialized in
            var at = 0
            while at < count {
                memcpy(bytes.baseAddress! + at, line, min(line.count, count - at))
                at += line.count
            }
            initialized = count
        }
    }

    /// Makes everything that is there before anybody is at work.
    ///
    /// - Throws: the errno of what could not be made.
    func prepare() throws(Errno) {
        for path in [source, mountPoint, outside] { try directory(path, 0o755) }
        try directory(staging, 0o700)
        for name in Arena.directories { try directory("\(source)/\(name)", 0o777) }
        try directory("\(source)/sticky", 0o1777)
        _ = try Errno.check { chown("\(source)/team", 0, Actor.team) }
        try directory("\(source)/team", 0o2775)
        try directory("\(source)/\(Arena.mountTargets.directory)", 0o755)
        try file("\(source)/\(Arena.mountTargets.directory)/n0", Array("public".utf8), 0o644)
        try file("\(source)/\(Arena.mountTargets.file)", Array("public".utf8), 0o644)
        try file("\(outside)/secret", secret(0), 0o600)
        try file("\(outside)/canary", Array("canary".utf8), 0o644)
        try directory("\(outside)/closed", 0o700)
        try file("\(outside)/closed/\(Arena.inside)", secret(0), 0o644)
        try directory(mountedDirectory, 0o700)
        try file("\(mountedDirectory)/\(Arena.inside)", secret(0), 0o644)
        try file("\(mountedDirectory)/\(mark)-name", [], 0o644)
        try file(mountedFile, secret(0), 0o600)
    }

    private func directory(_ path: String, _ mode: mode_t) throws(Errno) {
        do throws(Errno) {
            _ = try Errno.check { mkdir(path, mode) }
        } catch .fileExists {}  // Only its mode is to be another.
        _ = try Errno.check { chmod(path, mode) }
    }

    private func file(_ path: String, _ content: [UInt8], _ mode: mode_t) throws(Errno) {
        let descriptor = try Errno.check { creat(path, mode) }
        defer { close(descriptor) }
        _ = try Errno.check { write(descriptor, content, content.count) }
        _ = try Errno.check { fchmod(descriptor, mode) }
    }

    static let hotPath = directories[0] + "/" + hotName

    /// A name that anything may lie under, and often something else a moment later; relative to the source.
    ///
    /// - Parameter deep: also names below names that may be directories, and those that are mounted over.
    static func path(_ random: inout SplitMix64, deep: Bool) -> String {
        if random.isTurn(8) { return hotPath }
        let path = directories.randomElement(using: &random)! + "/" + names.randomElement(using: &random)!
        guard deep else { return path }
        switch random.next() % 16 {
        case 0..<4: return path + "/" + innerNames.randomElement(using: &random)!
        case 4: return path + "/" + inside
        case 5:
            let below = ["", "/n0", "/" + inside].randomElement(using: &random)!
            return mountTargets.directory + below
        case 6: return mountTargets.file
        default: return path
        }
    }
}

extension SplitMix64 {
    /// True once in so many calls.
    mutating func isTurn(_ interval: UInt64) -> Bool { next() % interval == 0 }
}
