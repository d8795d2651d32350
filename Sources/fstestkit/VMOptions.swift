import ArgumentParser
import Foundation
import LinuxSystem
import SystemPackage
import VirtualMachines

/// The machine that a guest has, and its kernel.
struct VMOptions: ParsableArguments {
    @Option(
        help: """
            deb:VERSION, a bzImage, a folder with vmlinuz and lib/modules, a kernel tree that was built, or \
            build:SOURCE[+FRAGMENT…], which makes one.
            """)
    var kernel: String
    @Option(help: "CPUs.", transform: Numbers.cpus)
    var cpus = 2
    @Option(
        help: "CPUs that may ever be there (default: as many as are there).", transform: Numbers.cpus)
    var possible: Int?
    @Option(help: "NUMA nodes that CPUs and memory are spread over.", transform: Numbers.nodes)
    var numa = 1
    @Option(help: "Memory in MiB.", transform: Numbers.memory)
    var memory = 1536
    @Option(help: "Words for the kernel's command line. May be given again.")
    var append: [String] = []
    @Option(help: "kvm, tcg (emulation), or auto: kvm where it works.")
    var accel = MachineSettings.Accelerator.auto
    @Flag(
        help:
            "A clock that counts instructions: no load on this machine trips a deadline there. Emulation by one thread."
    )
    var steady = false
    @Option(help: "Seconds without a word after which the guest counts as hung.", transform: Numbers.seconds)
    var timeout = 300.0
    @Option(
        help:
            "A file or folder that the guest has too, programs with their libraries: PATH[:PATH-THERE]. May be given again."
    )
    var copy: [String] = []
    @Option(help: "Where the kernel's console goes: a file.")
    var console: String?

    /// What the jobs need there, beyond what every guest has.
    private static let packages = ["acl", "attr", "e2fsprogs", "fuse3", "libsqlite3-0", "xfsprogs"]

    func validate() throws {
        if let possible, possible < cpus {
            throw ValidationError("--possible takes a number from --cpus to 255")
        }
        if numa > max(cpus, possible ?? 0) {
            throw ValidationError("--numa takes as many nodes as there are CPUs at most")
        }
        if steady && accel == .kvm { throw ValidationError("--steady is emulation: it excludes --accel kvm") }
        for copy in copy where copy.isEmpty || copy.hasPrefix(":") {
            throw ValidationError("--copy takes PATH or PATH:PATH-THERE, not '\(copy)'")
        }
    }

    /// Makes ready what is missing, boots, and follows the guest to its end.
    ///
    /// - Parameter packages: what the guest's root has beyond the usual.
    func run(
        _ job: GuestJob, packages: [String] = [], input: Int32? = nil,
        output: @escaping ([UInt8]) -> Void = { VMOptions.pass($0, 1) },
        booted: @escaping (BootedMachine) -> Void = { _ in }, ended: () -> Void = {}
    ) throws -> GuestReport {
        let specification = try VMOptions.specification(kernel)
        var job = job
        job.copies = copies() + job.copies
        let cache = VMOptions.cache()
        var listener = Guest.Listener(
            output: output, errors: { VMOptions.pass($0, 2) }, booted: booted, input: input)
        let file = try consoleFile()
        defer { if let file { close(file) } }
        if let file { listener.console = { VMOptions.pass($0, file) } }
        return try vmWords {
            let root = GuestRoot(cache: cache, packages: VMOptions.packages + packages)
            let kernel = try KernelLibrary(cache: cache, root: root).kernel(specification)
            let guest = try Guest(cache: cache, kernel: kernel, root: root, settings: settings, job: job)
            defer { ended() }
            return try guest.run(listener)
        }
    }

    /// Makes ready all that a guest with this kernel takes.
    static func prepare(kernel: String) throws {
        let specification = try specification(kernel)
        let cache = VMOptions.cache()
        let root = GuestRoot(cache: cache, packages: packages)
        let kernel = try KernelLibrary(cache: cache, root: root).kernel(specification)
        _ = try Guest(
            cache: cache, kernel: kernel, root: root, settings: MachineSettings(), job: GuestJob(script: ""))
    }

    static func cache() -> MachineCache {
        MachineCache(MachineCache.folderOfUser) { preparation in
            switch preparation {
            case .emulator: notice("fetching QEMU, once")
            case .root(let release): notice("making the guests' root from Debian \(release), once: a minute or two")
            case .kernel(let name): notice("fetching and preparing kernel \(name), once")
            case .source(let version): notice("fetching and unpacking the source of kernel \(version), once")
            case .build(let source): notice("making a kernel of \(source): minutes, the first time")
            }
        }
    }

    static func knownKernels(_ cache: MachineCache) -> KernelLibrary {
        KernelLibrary(cache: cache, root: GuestRoot(cache: cache, packages: packages))
    }

    private var settings: MachineSettings {
        var settings = MachineSettings()
        settings.cpus = cpus
        settings.possibleCPUs = possible
        settings.nodes = numa
        settings.memory = memory
        settings.append = ["fuse.enable_uring=1"] + append
        settings.accelerator = accel
        settings.isSteady = steady
        settings.silence = .milliseconds(Int(timeout * 1000))
        return settings
    }

    private static func specification(_ kernel: String) throws -> KernelSpecification {
        let known = KernelSpecification(kernel) { path in
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: path.string, isDirectory: &isFolder)
                ? isFolder.boolValue : nil
        }
        guard let known else {
            throw ValidationError("--kernel takes deb:VERSION or a path; there is nothing at '\(kernel)'")
        }
        return known
    }

    /// This program, under its name, and what was named.
    private func copies() -> [GuestJob.Copy] {
        let program = FilePath(FileManager.default.destinationOfLink("/proc/self/exe") ?? CommandLine.arguments[0])
        return copy.map { text in
            let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
            let source = FilePath(URL(fileURLWithPath: parts[0]).standardizedFileURL.path)
            return GuestJob.Copy(source, to: parts.count > 1 ? FilePath(parts[1]) : nil)
        } + [GuestJob.Copy(program, to: "/usr/local/bin/fstestkit")]
    }

    private func consoleFile() throws -> Int32? {
        guard let console else { return nil }
        let descriptor = creat(console, 0o644)
        if descriptor < 0 { throw fail("\(console) cannot be written: \(String(cString: strerror(errno)))") }
        return descriptor
    }

    /// Whole and at once. Who does not listen any more ends nothing.
    private static func pass(_ bytes: [UInt8], _ descriptor: Int32) {
        try? FileHandle(fileDescriptor: descriptor, closeOnDealloc: false).write(contentsOf: Data(bytes))
    }
}

extension MachineSettings.Accelerator: ExpressibleByArgument {}

extension FileManager {
    fileprivate func destinationOfLink(_ path: String) -> String? { try? destinationOfSymbolicLink(atPath: path) }
}

/// The job's preface in every guest: what this project's programs look for.
let guestPreface = "mount -t fusectl fusectl /sys/fs/fuse/connections 2>/dev/null || true"

/// Runs something of a guest and turns what it throws into a sentence and an exit status.
func vmWords<Result>(_ body: () throws -> Result) throws -> Result {
    do {
        return try body()
    } catch let error as VirtualMachineError {
        throw fail(error.sentence, .unavailable)
    }
}

extension VirtualMachineError {
    /// For people.
    var sentence: String {
        switch self {
        case .missingPrograms(let names, let packages):
            "there is no \(names.joined(separator: ", no ")); apt install \(packages.joined(separator: " "))"
        case .programFailed(let command, let status, let said):
            "\(command.prefix(4).joined(separator: " ")) … failed (\(status)):\n  " + said.joined(separator: "\n  ")
        case .noDebianMirror:
            "no mirror of Debian stands in apt's sources here, which guests and their kernels come from"
        case .noSuchKernel(let version, let known):
            known.isEmpty
                ? "the mirror has no kernels"
                : "the mirror has no kernel \(version); it has \(known.joined(separator: ", "))"
        case .noSuchFragment(let name):
            "there is no fragment '\(name)'; a file's path, or one of "
                + KernelFragment.known.map(\.name).joined(separator: ", ")
        case .wrongEnd(let commit, let expected, let found):
            "\(commit.prefix(12)) was said to be \(expected.rawValue), and "
                + (found == .skip ? "cannot be told" : "is \(found.rawValue)")
        case .notAKernel(let path, let why): "\(path) cannot be booted: \(why)"
        case .unknownArchitecture(let name): "guests run on x86_64, this machine is \(name)"
        case .cacheInUse(let folder): "another fstestkit makes something in \(folder) right now"
        case .system(let path, let error): "\(path): \(error)"
        }
    }
}
