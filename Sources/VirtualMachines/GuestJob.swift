import Foundation
import Glibc
import LinuxSystem
package import SystemPackage

/// What a guest shall do, and what it brings along.
package struct GuestJob: Sendable {
    /// Lines for the guest's bash, which runs them as root in /root.
    package var script: String
    /// Files and folders of the host, and where the guest has them.
    package var copies: [Copy]
    /// Its terminal's size and kind if a person works there; nil if it has no standard input.
    package var terminal: Terminal?
    /// The host's folder for what the job leaves in ``resultsFolder``, however the guest ends; nil if the guest has no such folder.
    package var results: FilePath?

    /// Where the guest keeps what shall outlive it.
    package static let resultsFolder = "/run/results"
    /// Where the guest has ``copies`` themselves; at their places there are links to them.
    package static let filesFolder = "/run/job/files"

    /// Programs bring their libraries along; those in a folder do not.
    package struct Copy: Equatable, Sendable {
        package let source: FilePath
        package let target: FilePath

        /// - Parameter target: nil for the same path.
        package init(_ source: FilePath, to target: FilePath? = nil) {
            self.source = source
            self.target = target ?? source
        }
    }

    package struct Terminal: Sendable {
        package let rows: Int
        package let columns: Int
        package let kind: String

        package init(rows: Int, columns: Int, kind: String) {
            (self.rows, self.columns, self.kind) = (rows, columns, kind)
        }
    }

    package init(script: String, copies: [Copy] = [], terminal: Terminal? = nil, results: FilePath? = nil) {
        self.script = script
        self.copies = copies
        self.terminal = terminal
        self.results = results
    }

    /// A filesystem with all of it, open for reading. It has no name any more: nothing is left when nobody has it open.
    func disk(_ cache: MachineCache) throws(VirtualMachineError) -> CInt {
        try cache.withScratch { scratch throws(VirtualMachineError) in
            let content = scratch.appending("job")
            try createFolder(content)
            try writeFile(content.appending("run"), script + "\n")
            try writeFile(content.appending("init"), PackageResources.init_sh)
            if let terminal {
                try writeFile(
                    content.appending("terminal"), "\(terminal.rows) \(terminal.columns) \(terminal.kind)\n")
            }
            let files = content.appending("files")
            for copy in copies {
                try put(copy, below: files)
                for library in SharedLibraries.needed(by: copy.source) { try put(Copy(library), below: files) }
            }
            let image = scratch.appending("job.ext4")
            try DiskImage.make(image, from: content, spare: 4 << 20)
            let descriptor = open(image.string, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw .system(image, .last) }
            return descriptor
        }
    }

    private func put(_ copy: Copy, below files: FilePath) throws(VirtualMachineError) {
        let target = files.pushing(Self.relative(Self.place(copy.target.string)))
        if access(target.string, F_OK) == 0 { return }
        guard access(copy.source.string, R_OK) == 0 else { throw .system(copy.source, .last) }
        try createFolder(target.removingLastComponent())
        try HostProgram.run(["cp", "-rL", "--preserve=mode", copy.source.string, target.string], package: "coreutils")
    }

    /// In the guest /lib, /bin and the like are links into /usr, and a folder cannot be put over a link.
    static func place(_ path: String) -> String {
        let path = FilePath("/").pushing(relative(path)).lexicallyNormalized().string
        for name in ["lib", "lib32", "lib64", "bin", "sbin"] where path.hasPrefix("/\(name)/") { return "/usr" + path }
        return path
    }

    private static func relative(_ path: String) -> FilePath { FilePath(root: nil, FilePath(path).components) }
}

/// The shared libraries that a program needs.
enum SharedLibraries {
    /// The C library comes with the guest's root, which is of the machine's release.
    private static let ofTheRoot = [
        "ld-linux", "libc.so", "libm.so", "libdl.so", "libpthread.so", "librt.so", "libresolv.so", "libutil.so",
    ]

    /// Empty for what is no program, or needs none.
    static func needed(by program: FilePath) -> [FilePath] {
        guard access(program.string, X_OK) == 0, !isFolder(program),
            let listed = try? HostProgram.run(["ldd", program.string], package: "libc-bin")
        else { return [] }
        return paths(listed)
    }

    /// - Parameter listed: what ldd(1) says: `libx.so.1 => /lib/libx.so.1 (0x…)`.
    static func paths(_ listed: String) -> [FilePath] {
        listed.split(separator: "\n").compactMap { line in
            guard let path = line.split(separator: " ").first(where: { $0.contains("/") && $0.first != "(" }) else {
                return nil
            }
            let found = FilePath(path.trimmingCharacters(in: .whitespaces))
            guard let name = found.lastComponent?.string, found.isAbsolute else { return nil }
            return ofTheRoot.contains { name.hasPrefix($0) } ? nil : found
        }
    }
}

func isFolder(_ path: FilePath) -> Bool {
    var status = stat()
    return stat(path.string, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}
