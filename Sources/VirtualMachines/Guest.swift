import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// A machine that QEMU runs. It dies with the thread that runs it.
package struct Guest {
    private let cache: MachineCache
    private let emulator: Emulator
    private let kernel: Kernel
    private let root: FilePath
    private let settings: MachineSettings
    private let job: GuestJob

    /// Called as the guest speaks.
    package struct Listener {
        package var output: ([UInt8]) -> Void
        package var errors: ([UInt8]) -> Void
        package var console: ([UInt8]) -> Void
        /// The job begins.
        package var booted: (BootedMachine) -> Void
        /// Where the terminal's input comes from; nil if there is none.
        package var input: CInt?

        package init(
            output: @escaping ([UInt8]) -> Void, errors: @escaping ([UInt8]) -> Void,
            console: @escaping ([UInt8]) -> Void = { _ in }, booted: @escaping (BootedMachine) -> Void = { _ in },
            input: CInt? = nil
        ) {
            (self.output, self.errors, self.console) = (output, errors, console)
            (self.booted, self.input) = (booted, input)
        }
    }

    package init(
        cache: MachineCache, kernel: Kernel, root: GuestRoot, settings: MachineSettings, job: GuestJob
    ) throws(VirtualMachineError) {
        emulator = try Emulator.find(cache)
        (self.cache, self.kernel, self.settings, self.job) = (cache, kernel, settings, job)
        self.root = try root.image()
    }

    /// Boots it, runs the job, and waits for the end.
    package func run(_ listener: Listener) throws(VirtualMachineError) -> GuestReport {
        let disk = try job.disk(cache)
        defer { close(disk) }
        let virtualization = Virtualization(cache)
        let kvm =
            settings.accelerator == .kvm || settings.accelerator == .auto && !settings.isSteady && virtualization.works
        guard let folder = job.results else { return try run(disk, -1, kvm: kvm, virtualization, listener) }
        let results = try ResultsDisk(cache)
        let report = try run(disk, results.descriptor, kvm: kvm, virtualization, listener)
        try results.extract(into: folder)
        return report
    }

    private func run(
        _ disk: CInt, _ results: CInt, kvm: Bool, _ virtualization: Virtualization, _ listener: Listener
    ) throws(VirtualMachineError) -> GuestReport {
        let report = try start(disk, results, kvm: kvm, listener)
        guard kvm, settings.accelerator == .auto, case .neverBooted(_, let emulator) = report.outcome, !emulator.isEmpty
        else { return report }
        // Some machines have a KVM that cannot run a guest of this kind; QEMU says so and stops.
        try virtualization.recordFailure()
        return try start(disk, results, kvm: false, listener)
    }

    private func start(
        _ disk: CInt, _ results: CInt, kvm: Bool, _ listener: Listener
    ) throws(VirtualMachineError) -> GuestReport {
        do throws(Errno) {
            var wires = try GuestWires()
            let names = ["console", "terminal", "errors", "control"]
            var arguments = [emulator.program.string] + emulator.arguments + settings.arguments(kvm: kvm)
            arguments += ["-kernel", kernel.image.string, "-initrd", kernel.initramfs.string]
            arguments += ["-append", settings.commandLine(kvm: kvm)]
            arguments += ["-drive", "file=\(Self.escaped(root)),format=raw,if=virtio,snapshot=on"]
            arguments += ["-add-fd", "fd=\(GuestWires.first + 5),set=1"]
            arguments += ["-drive", "file=/dev/fdset/1,format=raw,if=virtio,readonly=on"]
            if let modules = kernel.modules {
                arguments += ["-drive", "file=\(Self.escaped(modules)),format=raw,if=virtio,readonly=on"]
            }
            if results >= 0 {
                arguments += ["-add-fd", "fd=\(GuestWires.first + 6),set=2"]
                // It is read as soon as the guest has ended, or never: nothing waits for the host's disk. QEMU would open it for
                // reading first, and the set has no such descriptor.
                arguments += [
                    "-drive", "file=/dev/fdset/2,format=raw,if=virtio,cache=unsafe,auto-read-only=off",
                ]
            }
            for (index, name) in names.enumerated() {
                arguments += [
                    "-chardev", "socket,id=\(name),fd=\(GuestWires.first + index)", "-serial", "chardev:\(name)",
                ]
            }
            arguments += [
                "-chardev", "socket,id=monitor,fd=\(GuestWires.first + 4)", "-mon", "chardev=monitor,mode=control",
            ]
            let pid = try DependentProcess.start(
                emulator.program, arguments, environment: emulator.environment,
                descriptors: [-1, wires.emulator.writing, wires.emulator.writing] + wires.guestEnds + [disk]
                    + (results >= 0 ? [results] : []))
            wires.closeGuestEnds()
            defer { _ = try? Errno.check { waitpid(pid, nil, 0) } }
            defer { kill(pid, SIGKILL) }
            var conversation = GuestConversation(
                settings: settings, engine: (emulator.version, kvm), listener: listener)
            try conversation.follow(&wires)
            return conversation.report
        } catch {
            throw .system(emulator.program, error)
        }
    }

    /// A comma would begin the next property.
    private static func escaped(_ path: FilePath) -> String {
        path.string.split(separator: ",", omittingEmptySubsequences: false).joined(separator: ",,")
    }
}

/// The sockets between this process and QEMU, in the order in which QEMU has them, and a pipe for its own words.
struct GuestWires: ~Copyable {
    /// What QEMU has the first of them as.
    static let first = 3
    private static let count = 5

    var emulator: PipeEnds
    private(set) var hostEnds: [CInt]
    private(set) var guestEnds: [CInt]

    init() throws(Errno) {
        let pipe = try PipeEnds()
        (hostEnds, guestEnds) = try Self.sockets()
        emulator = pipe
    }

    private static func sockets() throws(Errno) -> (host: [CInt], guest: [CInt]) {
        var ends: (host: [CInt], guest: [CInt]) = ([], [])
        for _ in 0..<count {
            var pair: [CInt] = [-1, -1]
            let type = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
            _ = try Errno.check { socketpair(AF_UNIX, type, 0, &pair) }
            ends.host.append(pair[0])
            ends.guest.append(pair[1])
        }
        return ends
    }

    mutating func closeGuestEnds() {
        for end in guestEnds { close(end) }
        guestEnds = []
        emulator.closeWriting()
    }

    deinit { for end in hostEnds + guestEnds { close(end) } }
}
