import Foundation
import SystemPackage

/// Lines of a kernel's configuration that are laid over the smallest one there is.
package struct KernelFragment: Equatable, Sendable {
    package let name: String
    package let text: String

    /// Those of this project (vm-config/), by name. What guests need is in `base`, which every build begins with.
    package static let known = [
        KernelFragment(name: "base", PackageResources.base_config),
        KernelFragment(name: "sanitizers", PackageResources.sanitizers_config),
        KernelFragment(name: "kcsan", PackageResources.kcsan_config),
    ]

    static var base: KernelFragment { known[0] }

    /// - Parameter name: one that is known, or a file's path.
    package init(named name: String) throws(VirtualMachineError) {
        if let known = Self.known.first(where: { $0.name == name }) {
            self = known
        } else {
            guard name.contains("/") || name.contains(".") else { throw .noSuchFragment(name) }
            self.init(name: name, try readFile(FilePath(name)))
        }
    }

    private init(name: String, _ bytes: [UInt8]) {
        self.name = name
        text = String(decoding: bytes, as: UTF8.self)
    }

    /// Lines that a configuration does not hold: a kernel that does not know the symbol, or not what it depends on.
    ///
    /// - Parameter configuration: the text of a `.config`.
    func missing(in configuration: String) -> [String] {
        let held = Set(configuration.split(separator: "\n").map(String.init))
        return text.split(separator: "\n").map(String.init).filter { line in
            guard line.hasPrefix("CONFIG_") else { return false }
            // `X=n` is "# X is not set", or nothing at all.
            if line.hasSuffix("=n") { return held.contains { $0.hasPrefix(line.dropLast()) } }
            return !held.contains(line)
        }
    }
}
