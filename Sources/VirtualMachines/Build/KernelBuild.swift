import Foundation
import Glibc
package import SystemPackage

/// A kernel that is made from its source: the smallest configuration (`make tinyconfig`) with fragments over it, in a folder
/// beside the source, which stays as it is.
package struct KernelBuild: Sendable {
    /// The source tree.
    package let source: FilePath
    /// Where it is made (`make O=`): `arch/x86/boot/bzImage`, `vmlinux`, `.config`. What is there from an earlier time is gone on
    /// with.
    package let folder: FilePath
    package let fragments: [KernelFragment]

    /// - Parameter fragments: beside `base`.
    package init(source: FilePath, folder: FilePath, fragments: [KernelFragment]) {
        self.source = source
        self.folder = folder
        self.fragments = [.base] + fragments.filter { $0 != .base }
    }

    /// What make(1) says, for whom it may concern.
    package var log: FilePath { folder.appending("build.log") }

    private var stamp: FilePath { folder.appending("made") }

    /// It was made to its end.
    var isMade: Bool { access(stamp.string, F_OK) == 0 }

    /// Lines of the fragments that this kernel does not take.
    package var missing: [String] {
        let taken = (try? String(contentsOfFile: folder.appending(".config").string, encoding: .utf8)) ?? ""
        return fragments.flatMap { $0.missing(in: taken) }
    }

    /// Makes it, for minutes the first time. Who comes meanwhile waits.
    package func make() throws(VirtualMachineError) {
        guard access(source.appending("Kconfig").string, R_OK) == 0 else {
            throw .notAKernel(source, why: "it has no Kconfig: it is no kernel's source")
        }
        try HostProgram.require(["flex": "flex", "make": "make", "bison": "bison", "bc": "bc", "gcc": "gcc"])
        try createFolder(folder)
        let lock = try FolderLock(folder, "lock", waits: true)
        defer { lock.release() }
        unlink(stamp.string)
        // Anew each time: what one commit does not know, the next one may.
        try make(["tinyconfig"])
        let settings = folder.appending(".config")
        let smallest = String(decoding: try readFile(settings), as: UTF8.self)
        try writeFile(settings, smallest + fragments.map(\.text).joined(separator: "\n"))
        try make(["olddefconfig"])
        try make(["-j\(sysconf(CInt(_SC_NPROCESSORS_ONLN)))", "bzImage"])
        try writeFile(stamp, "")
    }

    private func make(_ targets: [String]) throws(VirtualMachineError) {
        try HostProgram.run(
            HostProgram.contained(["make", "-C", source.string, "O=\(folder)"] + targets), package: "make",
            environment: ["LC_ALL": "C.UTF-8"],
            output: log)
    }
}
