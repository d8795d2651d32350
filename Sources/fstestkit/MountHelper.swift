import Foundation

/// The arguments of a mount helper (mount(8), "external helpers"): `mount.fuse.fstestkit DEV DIR [-sfnv] [-t TYPE] [-o …]`.
enum MountHelper {
    /// The same, as arguments of `fstestkit`. What is missing is left to the mount command to complain about.
    static func arguments(_ given: [String]) -> [String] {
        var options: [String] = []
        var positional: [String] = []
        var rest = given[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "-o":
                if let value = rest.popFirst() { options.append(value) }
            case "-t", "-N":
                _ = rest.popFirst()
            case "--help", "--version": return [argument]
            case _ where argument.hasPrefix("-o"): options.append(String(argument.dropFirst(2)))
            case _ where argument.hasPrefix("-") && argument.count > 1: continue
            default: positional.append(argument)
            }
        }
        let all = options.flatMap { MountOptions.split($0) }
        // The device is the name that unmounting by device looks for; where no source is named, it is the source.
        let source = all.last { $0.hasPrefix("source=") }.map { String($0.dropFirst("source=".count)) }
        var arguments = ["mount"]
        for option in all where !option.hasPrefix("source=") { arguments += ["-o", option] }
        if let device = positional.first, !all.contains(where: { $0.hasPrefix("fsname=") }) {
            arguments += ["-o", "fsname=" + MountOptions.escape(device)]
        }
        if !positional.isEmpty { positional[0] = source ?? positional[0] }
        return arguments + ["--"] + positional
    }
}
