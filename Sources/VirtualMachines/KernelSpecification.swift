package import SystemPackage

/// Which kernel a guest shall have, as it is given at the command line.
package enum KernelSpecification: Equatable, Sendable {
    /// `deb:6.18`: the newest of Debian's packages whose version begins so.
    case debian(String)
    /// A `bzImage` or `vmlinuz`, with all that it needs built in.
    case image(FilePath)
    /// A folder with a `vmlinuz` and `lib/modules/RELEASE`, as an unpacked package or an installation has them.
    case folder(FilePath)
    /// A kernel's source tree that was built.
    case tree(FilePath)
    /// `build:SOURCE`, `build:SOURCE+FRAGMENT+FRAGMENT`: made from its source, with these fragments of a configuration.
    case build(KernelSource, [String])

    /// - Parameter isFolder: nil if there is nothing at the path.
    package init?(_ text: String, isFolder: (FilePath) -> Bool?) {
        if let version = text.droppingPrefix("deb:") {
            guard version.first?.isNumber == true else { return nil }
            self = .debian(version)
            return
        }
        if let source = text.droppingPrefix("build:") {
            guard let build = Self.build(source, isFolder: isFolder) else { return nil }
            self = build
            return
        }
        let path = FilePath(text)
        guard let isThereAFolder = isFolder(path) else { return nil }
        if !isThereAFolder {
            self = .image(path)
        } else if isFolder(path.appending("arch/x86/boot")) == true {
            self = .tree(path)
        } else {
            self = .folder(path)
        }
    }

    private static func build(_ text: String, isFolder: (FilePath) -> Bool?) -> KernelSpecification? {
        // A path may have a plus in it.
        var words = text.split(separator: "+", omittingEmptySubsequences: false).map(String.init)
        var fragments: [String] = []
        while !words.isEmpty {
            let source = KernelSource(words.joined(separator: "+"))
            switch source {
            case .debian(let version) where words.count == 1 && version.first?.isNumber == true:
                return .build(source, fragments)
            case .tree(let path) where isFolder(path) == true: return .build(source, fragments)
            default: fragments.insert(words.removeLast(), at: 0)
            }
        }
        return nil
    }
}

extension String {
    /// The rest of a text that begins with `prefix`, or nil.
    func droppingPrefix(_ prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }
}
