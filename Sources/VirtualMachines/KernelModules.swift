import Foundation
import LinuxSystem
import SystemPackage

/// A kernel's modules, in `lib/modules/RELEASE`.
struct KernelModules {
    let folder: FilePath

    var release: String { folder.lastComponent?.string ?? "" }

    /// What a guest must load before it has a disk, where it is not built in.
    static let early = ["virtio_pci", "virtio_blk", "ext4"]

    /// The one release below `folder`; nil if there is none.
    init?(below folder: FilePath) {
        for name in ["lib/modules", "usr/lib/modules"] {
            let modules = folder.appending(name)
            let releases = (try? FileManager.default.contentsOfDirectory(atPath: modules.string)) ?? []
            if let release = releases.sorted().last {
                self.folder = modules.appending(release)
                return
            }
        }
        return nil
    }

    /// Writes the index that modprobe(8) reads; packages leave it to their scripts.
    func index() throws(VirtualMachineError) {
        // lib/modules/RELEASE is what depmod adds to its base.
        let base = folder.removingLastComponent().removingLastComponent().removingLastComponent()
        try HostProgram.run(["depmod", "-b", base.string, release], package: "kmod")
    }

    /// Name and content of the modules that a guest must load first, in this order.
    func earlyModules() throws(VirtualMachineError) -> [(name: String, content: [UInt8])] {
        let file = folder.appending("modules.dep")
        guard let index = try? String(contentsOfFile: file.string, encoding: .utf8) else {
            throw .notAKernel(folder, why: "it has no modules.dep")
        }
        var result: [(name: String, content: [UInt8])] = []
        for path in Self.order(index, wanted: Self.early) {
            result.append((Self.name(path), try read(folder.appending(path))))
        }
        return result
    }

    /// Paths of the wanted modules, each after those that it needs. One that is not there is built in.
    ///
    /// - Parameter index: modules.dep(5): `path: paths that it needs`, the deepest last.
    static func order(_ index: String, wanted: [String]) -> [String] {
        var needs: [String: [String]] = [:]
        for line in index.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            guard let path = words.first, path.hasSuffix(":") else { continue }
            needs[String(path.dropLast())] = Array(words.dropFirst())
        }
        var result: [String] = []
        for name in wanted {
            guard let path = needs.keys.first(where: { Self.name($0) == name }) else { continue }
            for module in needs[path]!.reversed() + [path] where !result.contains(module) { result.append(module) }
        }
        return result
    }

    /// `virtio_blk` of `kernel/drivers/block/virtio-blk.ko.xz`.
    static func name(_ path: String) -> String {
        let file = path.split(separator: "/").last.map(String.init) ?? path
        return String(file.prefix { $0 != "." }).replacingOccurrences(of: "-", with: "_")
    }

    private func read(_ path: FilePath) throws(VirtualMachineError) -> [UInt8] {
        let programs = ["xz": ("xz", "xz-utils"), "zst": ("zstd", "zstd"), "gz": ("gzip", "gzip")]
        guard let (program, package) = programs[path.extension ?? ""] else { return try readFile(path) }
        let plain = FilePath(NSTemporaryDirectory()).appending(UUID().uuidString)
        defer { unlink(plain.string) }
        try HostProgram.run([program, "-dc", path.string], package: package, output: plain)
        return try readFile(plain)
    }
}

func readFile(_ path: FilePath) throws(VirtualMachineError) -> [UInt8] {
    do {
        return Array(try Data(contentsOf: URL(fileURLWithPath: path.string)))
    } catch {
        throw .system(path, .last)
    }
}
