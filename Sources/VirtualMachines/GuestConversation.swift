import Glibc
import LinuxSystem
import SystemPackage

/// What is heard from a guest, from its start to its end, and what follows from it.
struct GuestConversation {
    private let settings: MachineSettings
    private let listener: Guest.Listener
    /// Nil from its end on.
    private var input: CInt?
    private var console = ConsoleText()
    private var emulator = ConsoleText()
    private var control = ""
    /// QEMU's version and how it executes.
    private let engine: (version: String, kvm: Bool)
    private var build = ""
    private var buildID: String?
    private var configuration: String?
    private var release: String?
    private var status: Int32?
    /// What the console had said when the kernel was asked for stacks; nil if it was not.
    private var beforeStacks: [String]?
    /// What it said from then on.
    private var stacks = ConsoleText()
    private let start = ContinuousClock.now
    private var boot: Duration?
    /// When the job was last heard; before it began, the kernel.
    private var lastWord = ContinuousClock.now

    /// The places of the sockets, as `Guest` gives them to QEMU.
    private enum Wire { static let (console, terminal, errors, control, monitor) = (0, 1, 2, 3, 4) }

    init(settings: MachineSettings, engine: (version: String, kvm: Bool), listener: Guest.Listener) {
        (self.settings, self.engine, self.listener, input) = (settings, engine, listener, listener.input)
    }

    /// Follows it until QEMU has ended or says nothing for too long.
    mutating func follow(_ wires: inout GuestWires) throws(Errno) {
        send(wires, Wire.monitor, #"{"execute":"qmp_capabilities"}"#)
        var descriptors = wires.hostEnds + [wires.emulator.reading]
        while descriptors.contains(where: { $0 >= 0 }) {
            let left = settings.silence - lastWord.duration(to: .now)
            if left <= .zero {
                beforeStacks = console.tail(20)
                return try askForStacks(wires, &descriptors)
            }
            if try hear(wires, &descriptors, upTo: left) { return }
        }
    }

    /// The kernel says blocked tasks and what the CPUs do, for a break and a letter on its console.
    private mutating func askForStacks(_ wires: borrowing GuestWires, _ descriptors: inout [CInt]) throws(Errno) {
        for letter in ["w", "l"] {
            send(wires, Wire.monitor, #"{"execute":"chardev-send-break","arguments":{"id":"console"}}"#)
            let end = ContinuousClock.now + settings.stacksTime
            var isAsked = false
            while case let left = end - .now, left > .zero, descriptors.contains(where: { $0 >= 0 }) {
                if try hear(wires, &descriptors, upTo: isAsked ? left : .milliseconds(300)) { return }
                if !isAsked { send(wires, Wire.console, letter) }
                isAsked = true
            }
        }
    }

    /// Waits for words and takes them.
    ///
    /// - Returns: true when QEMU stopped the machine for good.
    private mutating func hear(
        _ wires: borrowing GuestWires, _ descriptors: inout [CInt], upTo duration: Duration
    ) throws(Errno) -> Bool {
        var entries = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        if let input { entries.append(pollfd(fd: input, events: Int16(POLLIN), revents: 0)) }
        let milliseconds =
            duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000 + 1
        if try Errno.check({ poll(&entries, nfds_t(entries.count), CInt(clamping: milliseconds)) }) == 0 {
            return false
        }
        var chunk = [UInt8](repeating: 0, count: 65536)
        for index in entries.indices where entries[index].fd >= 0 && entries[index].revents != 0 {
            // A socket whose other end was killed is at its end too.
            let count = (try? Errno.check { read(entries[index].fd, &chunk, chunk.count) }) ?? 0
            if index == descriptors.count {
                if count == 0 { input = nil } else { send(wires, Wire.terminal, Array(chunk[..<count])) }
            } else if count == 0 {
                descriptors[index] = -1
            } else if take(Array(chunk[..<count]), from: index) {
                return true
            }
        }
        return false
    }

    private mutating func take(_ bytes: [UInt8], from wire: Int) -> Bool {
        switch wire {
        case Wire.console:
            console.append(bytes)
            if beforeStacks != nil { stacks.append(bytes) }
            listener.console(bytes)
            // Of a job nothing is heard by the kernel's talk.
            if release == nil { lastWord = .now }
        case Wire.terminal:
            lastWord = .now
            listener.output(bytes)
        case Wire.errors:
            lastWord = .now
            listener.errors(bytes)
        case Wire.control:
            lastWord = .now
            control += String(decoding: bytes, as: UTF8.self)
            while let end = control.firstIndex(of: "\n") {
                takeWord(control[..<end].split(separator: " ").map(String.init))
                control.removeSubrange(...end)
            }
        case Wire.monitor:
            // The machine stops by itself only when KVM cannot go on.
            return String(decoding: bytes, as: UTF8.self).contains(#""event": "STOP""#)
        default: emulator.append(bytes)
        }
        return false
    }

    private mutating func takeWord(_ words: [String]) {
        switch (words.first, words.last) {
        case ("ready", let name?):
            release = name
            boot = start.duration(to: .now)
            listener.booted(
                BootedMachine(
                    release: name, build: build, buildID: buildID, configuration: configuration,
                    commandLine: settings.commandLine(kvm: engine.kvm),
                    emulator: "QEMU \(engine.version)", accelerator: settings.acceleratorName(kvm: engine.kvm),
                    cpus: settings.cpus, memory: settings.memory))
        case ("id", let id?): buildID = id
        case ("config", let digest?): configuration = digest
        case ("build", _): build = words.dropFirst().joined(separator: " ")
        case ("ended", let number?): status = Int32(number)
        default: break
        }
    }

    private func send(_ wires: borrowing GuestWires, _ wire: Int, _ text: String) {
        send(wires, wire, Array(text.utf8))
    }

    /// What cannot be sent finds nobody: QEMU has ended, which is heard soon.
    private func send(_ wires: borrowing GuestWires, _ wire: Int, _ bytes: [UInt8]) {
        _ = try? Errno.check {
            bytes.withUnsafeBytes { Glibc.send(wires.hostEnds[wire], $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
        }
    }

    var report: GuestReport { GuestReport(outcome: outcome, release: release, boot: boot) }

    private var outcome: GuestOutcome {
        if let status { return .ended(status: status) }
        let crash = console.crash
        if release == nil { return .neverBooted(console: crash ?? console.tail(30), emulator: emulator.tail(10)) }
        if let crash { return .crashed(report: crash) }
        if let beforeStacks { return .silent(console: beforeStacks + stacks.tail(300)) }
        return .vanished(console: console.tail(30), emulator: emulator.tail(10))
    }
}
