import CLinux
import Foundation
import Glibc
import SystemPackage

/// Packages from the mirrors that the machine's own apt knows, with settings, lists and downloads of its own: nothing is
/// installed, and apt's own state is not touched.
struct PackageArchive {
    /// Where lists and settings are kept.
    let folder: FilePath
    /// Lines of sources.list(5).
    let sources: [String]
    /// Packages that count as installed, and are not downloaded: dpkg's status file, or nil for none.
    let status: FilePath?

    /// Where lists that are younger are not asked for again, in seconds.
    private static let listsLast = 86400.0

    private var configuration: FilePath { folder.appending("apt.conf") }
    private var environment: [String: String] { ["APT_CONFIG": configuration.string, "LC_ALL": "C.UTF-8"] }

    /// Fetches the lists, unless they are of today.
    ///
    /// A suite that this mirror lacks is no error here: its packages are missing then.
    func refresh() throws(VirtualMachineError) {
        try configure()
        let stamp = folder.appending("fetched")
        var age = stat()
        if stat(stamp.string, &age) == 0, Date().timeIntervalSince1970 - Double(age.st_mtim.tv_sec) < Self.listsLast,
            (try? String(contentsOfFile: stamp.string, encoding: .utf8)) == sources.joined(separator: "\n")
        {
            return
        }
        do throws(VirtualMachineError) {
            try apt(["apt-get", "update", "-qq"])
        } catch .programFailed(let command, let status, let said) {
            if try names("").isEmpty { throw .programFailed(command, status: status, said: said) }
        }
        try writeFile(stamp, sources.joined(separator: "\n"))
    }

    /// The names of packages that begin with `prefix`.
    func names(_ prefix: String) throws(VirtualMachineError) -> Set<String> {
        Set(try apt(["apt-cache", "pkgnames", prefix]).split(separator: "\n").map(String.init))
    }

    /// The version that would be fetched; nil if there is no such package.
    func version(of package: String) throws(VirtualMachineError) -> String? {
        guard try names(package).contains(package) else { return nil }
        let lines = try apt(["apt-cache", "show", "--no-all-versions", package]).split(separator: "\n")
        return lines.lazy.compactMap { String($0).droppingPrefix("Version: ") }.first
    }

    /// Unpacks these packages into a folder, without their scripts.
    func unpack(_ packages: [String], into target: FilePath) throws(VirtualMachineError) {
        try download(into: target) { () throws(VirtualMachineError) in
            try apt(["apt-get", "install", "-qq", "--download-only", "--no-install-recommends"] + packages)
        }
    }

    /// Unpacks just these packages, without what they depend on.
    func unpackAlone(_ packages: [String], into target: FilePath) throws(VirtualMachineError) {
        try download(into: target) { () throws(VirtualMachineError) in
            // apt-get download writes where it stands.
            try HostProgram.run(
                ["sh", "-c", "cd \"$0\" && exec apt-get download -qq \"$@\"", archives.string] + packages,
                package: "apt", environment: environment)
        }
    }

    private var archives: FilePath { folder.appending("cache/archives") }

    private func download(
        into target: FilePath, _ fetch: () throws(VirtualMachineError) -> Void
    ) throws(VirtualMachineError) {
        try configure()
        try createFolder(target)
        try fetch()
        for package in HostFolder.files(below: archives, prefix: "") where package.extension == "deb" {
            try HostProgram.run(["dpkg-deb", "-x", package.string, target.string], package: "dpkg")
            unlink(package.string)
        }
    }

    @discardableResult
    private func apt(_ command: [String]) throws(VirtualMachineError) -> String {
        try HostProgram.run(command, package: "apt", environment: environment)
    }

    private func configure() throws(VirtualMachineError) {
        for name in ["state/lists/partial", "cache/archives/partial"] { try createFolder(folder.appending(name)) }
        let known = folder.appending("status")
        try writeFile(known, "")
        try writeFile(folder.appending("sources.list"), sources.map { $0 + "\n" }.joined())
        try writeFile(
            configuration,
            """
            Dir::Etc::sourcelist "\(folder)/sources.list";
            Dir::Etc::sourceparts "-";
            Dir::Etc::preferences "/dev/null";
            Dir::Etc::preferencesparts "-";
            Dir::State "\(folder)/state";
            Dir::State::status "\(status ?? known)";
            Dir::Cache "\(folder)/cache";
            Dir::Log "\(folder)";
            Acquire::Languages "none";
            APT::Sandbox::User "\(geteuid() == 0 ? "root" : "")";
            APT::Install-Recommends "false";
            Debug::NoLocking "true";

            """)
    }
}
