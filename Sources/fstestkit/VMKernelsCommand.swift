import ArgumentParser
import Foundation
import SystemPackage
import VirtualMachines

struct VMKernelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kernels",
        abstract: "List the kernels that are here, and those that could be had.",
        discussion: "Each can be named as deb:VERSION, shortened as one likes: deb:6.18 is the newest of 6.18.")

    @Flag(help: "Only those that are here: no mirror is asked.")
    var cached = false

    func run() throws {
        let library = VMOptions.knownKernels(VMOptions.cache())
        let here = library.cached
        for release in here { print("deb:\(release)  here") }
        if cached { return }
        let available = try vmWords { try library.available() }
        for kernel in available.reversed() where !here.contains(kernel.release) { print("deb:\(kernel.release)") }
    }
}
