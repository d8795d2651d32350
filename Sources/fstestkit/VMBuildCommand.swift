import ArgumentParser
import Foundation
import SystemPackage
import VirtualMachines

struct VMBuildCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "build",
        abstract: "Make a kernel for guests from its source, and print its folder.",
        discussion: """
            The configuration is the smallest one with fragments over it: what guests need (base), and what is named: sanitizers \
            (KASAN, lockdep, kmemleak, failure injection …), kcsan, or files. The source stays as it is. The folder is what \
            --kernel takes; build:SOURCE+FRAGMENT there does all of this by itself.

            Exit status: 0, or 69 when it cannot be made here.
            """)

    @Argument(help: "A source tree, or deb:VERSION for Debian's source package.")
    var source: String
    @Argument(help: "Fragments of a configuration: sanitizers, kcsan, or files.")
    var fragments: [String] = []

    func run() throws {
        let build = try vmWords {
            let library = VMOptions.knownKernels(VMOptions.cache())
            let build = try library.build(KernelSource(source), fragments.map { try KernelFragment(named: $0) })
            notice("making it in \(build.folder); make's words are in build.log there")
            try build.make()
            return build
        }
        if !build.missing.isEmpty {
            notice("this kernel does not take \(build.missing.joined(separator: ", "))")
        }
        print(build.folder)
    }
}
