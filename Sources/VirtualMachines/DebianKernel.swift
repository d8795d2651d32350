/// A kernel of Debian's, by the packages that hold it.
package struct DebianKernel: Equatable, Sendable {
    /// As `uname -r` says it: `6.18.15+deb13-cloud-amd64`.
    package let release: String
    /// Image and modules. Up to 6.18 they are one package.
    package let packages: [String]

    /// The version's numbers: 6, 18, 15.
    var numbers: [Int] {
        release.prefix { $0.isNumber || $0 == "." }.split(separator: ".").compactMap { Int($0) }
    }

    /// The kernels of the cloud flavour among the archive's packages, oldest first. It has all that a guest needs and no
    /// drivers beyond.
    package static func among(_ names: Set<String>, architecture: String = "amd64") -> [DebianKernel] {
        let kernels = names.compactMap { name -> DebianKernel? in
            guard let release = name.droppingPrefix("linux-image-"), release.hasSuffix("-cloud-\(architecture)"),
                release.first?.isNumber == true
            else { return nil }
            // Later ones are of three packages, and `linux-image` only names the others. An archive may lack the modules.
            let (image, modules) = ("linux-binary-\(release)", "linux-modules-\(release)")
            if !names.contains(image) { return DebianKernel(release: release, packages: [name]) }
            return names.contains(modules) ? DebianKernel(release: release, packages: [image, modules]) : nil
        }
        return kernels.sorted { ($0.numbers, $0.release) < ($1.numbers, $1.release) }
    }

    /// Whether it is of a version that may be shortened: 6.18.15 is of 6.18 and of 6, not of 6.1.
    package func isOf(_ version: String) -> Bool {
        guard let rest = release.droppingPrefix(version) else { return false }
        return rest.isEmpty || !(rest.first!.isNumber || version.hasSuffix("."))
    }
}

/// Versions by their numbers, then by text.
private func < (left: ([Int], String), right: ([Int], String)) -> Bool {
    left.0 == right.0 ? left.1 < right.1 : left.0.lexicographicallyPrecedes(right.0)
}
