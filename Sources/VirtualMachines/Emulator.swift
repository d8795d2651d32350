import Foundation
import Glibc
import SystemPackage

/// QEMU: the machine's own, or one that is unpacked into the cache where the machine has none that is new enough.
struct Emulator: Sendable {
    let program: FilePath
    /// For the dynamic linker and for QEMU's data; empty for the machine's own.
    let environment: [String: String]
    let arguments: [String]
    /// `10.0.2`.
    let version: String

    /// Earlier ones crash kernels when they emulate.
    private static let oldest = 8

    static func find(_ cache: MachineCache) throws(VirtualMachineError) -> Emulator {
        var name = utsname()
        uname(&name)
        let architecture = withUnsafeBytes(of: &name.machine) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        guard architecture == "x86_64" else { throw .unknownArchitecture(architecture) }
        let program = "qemu-system-x86_64"
        if let own = HostProgram.find(program),
            let version = try? version(of: own), let number = Int(version.prefix(while: \.isNumber)), number >= oldest
        {
            return Emulator(program: own, environment: [:], arguments: [], version: version)
        }
        let folder = try fetched(cache)
        let libraries = ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"].map { folder.appending($0).string }
        let environment = ["LD_LIBRARY_PATH": libraries.joined(separator: ":")]
        let unpacked = folder.appending("usr/bin").appending(program)
        return Emulator(
            program: unpacked, environment: environment,
            arguments: ["qemu", "seabios"].flatMap { ["-L", folder.appending("usr/share/\($0)").string] },
            version: try version(of: unpacked, environment) ?? "unknown")
    }

    private static func version(
        of program: FilePath, _ environment: [String: String] = [:]
    ) throws(VirtualMachineError) -> String? {
        version(
            try HostProgram.run(
                [program.string, "-version"], package: "qemu-system-x86", environment: environment))
    }

    /// The number of `QEMU emulator version 10.0.2 (…)`.
    static func version(_ said: String) -> String? {
        guard let words = said.split(separator: "\n").first?.split(separator: " "),
            let at = words.firstIndex(of: "version"), at + 1 < words.count, words[at + 1].first?.isNumber == true
        else { return nil }
        return String(words[at + 1])
    }

    private static func fetched(_ cache: MachineCache) throws(VirtualMachineError) -> FilePath {
        if case let made = cache.folder.appending("qemu"), access(made.string, F_OK) == 0 { return made }
        let mirror = try DebianMirror.ofMachine()
        // What the machine has installed is not fetched again: the libraries are the machine's.
        let archive = PackageArchive(
            folder: cache.folder.appending("archive-of-host"), sources: mirror.ownSources,
            status: "/var/lib/dpkg/status")
        try createFolder(archive.folder)
        try archive.refresh()
        return try cache.entry("qemu", .emulator) { folder throws(VirtualMachineError) in
            try archive.unpack(["-t", "\(mirror.codename)-backports", "qemu-system-x86"], into: folder)
        }
    }
}
