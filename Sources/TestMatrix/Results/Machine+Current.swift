import Foundation
import Glibc

extension Machine {
    /// This one.
    public static var current: Machine {
        var names = utsname()
        uname(&names)
        let information = ProcessInfo.processInfo
        return Machine(
            name: name, architecture: text(names.machine),
            processor: value("model name", in: "/proc/cpuinfo", separator: ":") ?? "unknown",
            processors: information.processorCount, memory: information.physicalMemory,
            system: value("PRETTY_NAME", in: "/etc/os-release", separator: "=") ?? "Linux")
    }

    /// The name of this one.
    public static var name: String {
        var names = utsname()
        uname(&names)
        return text(names.nodename)
    }

    /// The running kernel, as `uname -r` says it.
    public static var kernel: String {
        var names = utsname()
        uname(&names)
        return text(names.release)
    }

    private static func text<Characters>(_ characters: Characters) -> String {
        withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    /// The first `key: value` of a small file.
    private static func value(_ key: String, in path: String, separator: Character) -> String? {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
        for line in text.split(separator: "\n") where line.hasPrefix(key) {
            guard let index = line.firstIndex(of: separator) else { continue }
            return line[line.index(after: index)...].trimmingCharacters(in: CharacterSet(charactersIn: " \t\""))
        }
        return nil
    }
}

extension RunRecord {
    /// Variables that are recorded with a run: those that change what is tested or how.
    public static var currentEnvironment: [String: String] {
        let names: Set = [
            "CI", "FSTESTKIT_STATE", "GITHUB_REF", "GITHUB_RUN_ID", "GITHUB_SHA", "LANG", "LC_ALL", "TMPDIR",
            "XFSTESTS_DIR",
            "TSAN_OPTIONS", "ASAN_OPTIONS",
        ]
        return ProcessInfo.processInfo.environment.filter { names.contains($0.key) }
    }
}
