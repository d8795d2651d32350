import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// What a load does without where a mount has it not. A daemon that lacks one of these is no daemon that fails to stop.
public struct LoadFeatures: OptionSet, Sendable, Hashable {
    public let rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static let directIO = LoadFeatures(rawValue: 1)
    public static let mappings = LoadFeatures(rawValue: 2)
    public static let fsync = LoadFeatures(rawValue: 4)
    public static let symbolicLinks = LoadFeatures(rawValue: 8)
    public static let modes = LoadFeatures(rawValue: 16)

    /// For people: `no O_DIRECT, no symbolic links`.
    public var words: String {
        let names: [(LoadFeatures, String)] = [
            (.directIO, "no O_DIRECT"), (.mappings, "no shared mappings"), (.fsync, "no fsync"),
            (.symbolicLinks, "no symbolic links"), (.modes, "no chmod"),
        ]
        return names.filter { contains($0.0) }.map(\.1).joined(separator: ", ")
    }
}

extension LoadClient {
    /// What the mount has not, found out by trying it.
    ///
    /// - Throws: an errno that no missing feature explains.
    func findMissing() throws(Errno) -> LoadFeatures {
        let tolerated: [Errno] = [
            .invalidArgument, .noFunction, .notSupportedOnSocket, .notPermitted,
        ]
        var missing: LoadFeatures = []
        let file = try attempt(.setUp) { [folder] in openat_(folder, "probe", O_RDWR | O_CREAT | O_CLOEXEC) }
        defer { close(file) }
        let (buffer, folder) = (buffer, folder)
        try attempt(.setUp) { pwrite(file, buffer, LoadBlock.size, 0) }
        if try attempt(.setUp, tolerating: tolerated, { fchmod(file, 0o640) }) < 0 { missing.insert(.modes) }
        if try attempt(.setUp, tolerating: tolerated, { Glibc.fsync(file) }) < 0 { missing.insert(.fsync) }
        let direct = try attempt(.setUp, tolerating: tolerated) {
            openat_(folder, "probe", O_RDWR | CLINUX_O_DIRECT | O_CLOEXEC)
        }
        // Some open a file for it, and refuse what is then read or written.
        if direct < 0 { missing.insert(.directIO) }
        if direct >= 0 {
            defer { close(direct) }
            let written = try attempt(.setUp, tolerating: tolerated) { pwrite(direct, buffer, LoadBlock.size, 0) }
            let read = try attempt(.setUp, tolerating: tolerated) { pread(direct, buffer, LoadBlock.size, 0) }
            if written < 0 || read < 0 { missing.insert(.directIO) }
        }
        let memory = Glibc.mmap(nil, LoadBlock.size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
        if memory == nil || memory == MAP_FAILED {
            missing.insert(.mappings)
        } else {
            munmap(memory, LoadBlock.size)
        }
        if try attempt(.setUp, tolerating: tolerated, { symlinkat("target", folder, "probe-link") }) < 0 {
            missing.insert(.symbolicLinks)
        } else {
            try attempt(.setUp, tolerating: [.noSuchFileOrDirectory]) { unlinkat(folder, "probe-link", 0) }
        }
        try attempt(.setUp, tolerating: [.noSuchFileOrDirectory]) { unlinkat(folder, "probe", 0) }
        return missing
    }
}
