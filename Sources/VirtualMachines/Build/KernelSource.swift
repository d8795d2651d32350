import Foundation
package import SystemPackage

/// What a kernel is made from.
package enum KernelSource: Equatable, Sendable {
    /// A source tree.
    case tree(FilePath)
    /// `deb:7.3`: Debian's source package.
    case debian(String)

    package init(_ text: String) {
        self = text.droppingPrefix("deb:").map { .debian($0) } ?? .tree(FilePath(text))
    }
}

extension KernelLibrary {
    /// The source and the folder for what is made of it. A package is fetched and unpacked once.
    package func build(
        _ source: KernelSource, _ fragments: [KernelFragment]
    ) throws(VirtualMachineError) -> KernelBuild {
        let tree =
            switch source {
            case .tree(let path): FilePath(URL(fileURLWithPath: path.string).standardizedFileURL.path)
            case .debian(let version): try unpackedSource(version)
            }
        let name = ([tree.string] + fragments.flatMap { [$0.name, $0.text] }).joined(separator: "\n")
        let folder = cache.folder.appending(
            "builds/\(tree.lastComponent?.string ?? "linux")-\(MachineCache.digest(name))")
        return KernelBuild(source: tree, folder: folder, fragments: fragments)
    }

    /// Makes it where it is not made yet.
    func built(_ source: KernelSource, _ fragments: [String]) throws(VirtualMachineError) -> KernelBuild {
        var known: [KernelFragment] = []
        for name in fragments { known.append(try KernelFragment(named: name)) }
        let build = try build(source, known)
        // A package's source never changes, a tree's does.
        if case .debian = source, build.isMade { return build }
        cache.announce(.build(build.source.string))
        try build.make()
        return build
    }

    private func unpackedSource(_ version: String) throws(VirtualMachineError) -> FilePath {
        let archive = try archive()
        try archive.refresh()
        let package = "linux-source-\(version)"
        guard let release = try archive.version(of: package) else {
            let known = try archive.names("linux-source-").compactMap { $0.droppingPrefix("linux-source-") }
            throw .noSuchKernel("source \(version)", known: known.sorted())
        }
        let entry = try cache.entry("sources/\(package)-\(release)", .source(version)) {
            folder throws(VirtualMachineError) in
            let unpacked = folder.appending("unpacked")
            try archive.unpackAlone([package], into: unpacked)
            guard let tar = HostFolder.files(below: unpacked, prefix: "\(package).tar").first else {
                throw .notAKernel(unpacked, why: "the package \(package) has no source")
            }
            try HostProgram.run(
                ["tar", "-xf", tar.string, "-C", folder.string, "--strip-components=1"], package: "xz-utils")
            try? FileManager.default.removeItem(atPath: unpacked.string)
        }
        return entry
    }
}
