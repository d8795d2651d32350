import Foundation

/// The arguments of a mount helper (mount(8), "external helpers"):
/// `mount.fuse.fstestkit SPEC DIR [-sfnv] [-N NAMESPACE] [-o OPTIONS] [-t TYPE.SUBTYPE]`, in any order.
struct MountHelper {
    private var options: [String] = []
    private var positional: [String] = []
    /// What `fstestkit mount` takes as long options.
    private var flags: [String] = []

    /// The same, as arguments of `fstestkit`. What is missing or unknown is left to the mount command to complain about.
    static func arguments(_ given: [String]) -> [String] {
        if let asked = given.first(where: { ["--help", "--version", "-h", "-V"].contains($0) }) {
            return [asked == "-V" ? "--version" : asked]
        }
        var helper = MountHelper()
        helper.read(given)
        return helper.arguments
    }

    private mutating func read(_ given: [String]) {
        var rest = given[...]
        while let argument = rest.popFirst() {
            if argument == "--" {
                positional += rest
                return
            }
            guard argument.hasPrefix("-"), argument.count > 1, !argument.hasPrefix("--") else {
                if argument.hasPrefix("--") { flags.append(argument) } else { positional.append(argument) }
                continue
            }
            var letters = argument.dropFirst()
            while let letter = letters.popFirst() {
                guard "oNt".contains(letter) else {
                    take(letter)
                    continue
                }
                take(letter, letters.isEmpty ? rest.popFirst() : String(letters))
                break
            }
        }
    }

    private mutating func take(_ letter: Character) {
        switch letter {
        case "f": flags.append("--fake")
        case "s": flags.append("--sloppy")
        case "v": flags.append("--verbose")
        // There is no /etc/mtab to write to.
        case "n": break
        default: flags.append("-\(letter)")
        }
    }

    private mutating func take(_ letter: Character, _ value: String?) {
        switch (letter, value) {
        case ("o", let value?): options.append(value)
        case ("N", let value?): flags += ["--namespace", value]
        case ("t", let type?): options.insert("subtype=" + MountHelper.subtype(of: type), at: 0)
        default: flags.append("-\(letter)")
        }
    }

    /// `fstestkit` of `fuse.fstestkit`; nothing of `fuse`.
    private static func subtype(of type: String) -> String {
        type.firstIndex(of: ".").map { MountOptions.escape(String(type[type.index(after: $0)...])) } ?? ""
    }

    private var arguments: [String] {
        let all = options.flatMap { MountOptions.split($0) }
        // The device is the name that unmounting by device looks for; where no source is named, it is the source.
        let source = all.last { $0.hasPrefix("source=") }.map { String($0.dropFirst("source=".count)) }
        var arguments = ["mount"] + flags
        for option in all where !option.hasPrefix("source=") { arguments += ["-o", MountOptions.escape(option)] }
        if let device = positional.first, !all.contains(where: { $0.hasPrefix("fsname=") }) {
            arguments += ["-o", "fsname=" + MountOptions.escape(device)]
        }
        var places = positional
        if !places.isEmpty { places[0] = source ?? places[0] }
        return arguments + ["--"] + places
    }
}
