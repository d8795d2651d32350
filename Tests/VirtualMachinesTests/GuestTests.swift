import Glibc
import LinuxSystem
import SystemPackage
import Testing

@testable import VirtualMachines

@Suite struct GuestTests {
    @Test func cpusThatMayComeAreNotOnline() {
        var settings = MachineSettings()
        settings.cpus = 2
        settings.possibleCPUs = 4
        settings.append = ["a=b"]
        #expect(settings.commandLine(kvm: true).hasSuffix(" maxcpus=2 a=b"))
        #expect(settings.arguments(kvm: false).contains("4"))
        settings.possibleCPUs = nil
        #expect(!settings.commandLine(kvm: true).contains("maxcpus"))
    }

    @Test func emulatedCPUsDoNotMeasureTheirLoops() {
        #expect(MachineSettings().commandLine(kvm: false).contains(" lpj="))
        #expect(!MachineSettings().commandLine(kvm: true).contains("lpj="))
    }

    @Test func nodesShareCPUsAndMemory() {
        var settings = MachineSettings()
        settings.cpus = 4
        settings.possibleCPUs = 5
        settings.memory = 1537
        settings.nodes = 2
        let words = settings.arguments(kvm: false)
        #expect(words.contains("memory-backend-ram,id=node0,size=768M"))
        #expect(words.contains("memory-backend-ram,id=node1,size=769M"))
        #expect(words.contains("node,nodeid=0,memdev=node0,cpus=0-1"))
        #expect(words.contains("node,nodeid=1,memdev=node1,cpus=2-4"))
        settings.nodes = 1
        #expect(!settings.arguments(kvm: false).contains("-numa"))
    }

    @Test func aSteadyGuestCountsInstructions() {
        var settings = MachineSettings()
        #expect(!settings.arguments(kvm: false).contains("-icount"))
        settings.isSteady = true
        #expect(settings.arguments(kvm: false).contains("tcg,thread=single"))
        #expect(settings.arguments(kvm: false).contains("-icount"))
    }

    @Test func librariesOfTheRootStayThere() {
        let said = """
            \tlinux-vdso.so.1 (0x00007ffd)
            \tliburing.so.2 => /lib/x86_64-linux-gnu/liburing.so.2 (0x00007f58)
            \tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007f58)
            \tlibmount.so.1 => /lib/x86_64-linux-gnu/libmount.so.1 (0x00007f58)
            \tlibmissing.so => not found
            \t/lib64/ld-linux-x86-64.so.2 (0x00007fd5)
            """
        #expect(
            SharedLibraries.paths(said)
                == ["/lib/x86_64-linux-gnu/liburing.so.2", "/lib/x86_64-linux-gnu/libmount.so.1"])
        #expect(SharedLibraries.paths("\tnot a dynamic executable").isEmpty)
    }

    @Test(arguments: [
        ("/lib/x/y.so", "/usr/lib/x/y.so"), ("/usr/bin/p", "/usr/bin/p"), ("/library/x", "/library/x"), ("p", "/p"),
        ("/../../lib64/x", "/usr/lib64/x"),
    ])
    func copiesGoWhereTheGuestHasNoLinks(path: String, place: String) {
        #expect(GuestJob.place(path) == place)
    }

    @Test func theVersionOfQEMU() {
        #expect(Emulator.version("QEMU emulator version 10.0.2 (Debian 1:10.0.2+ds-2)\nCopyright") == "10.0.2")
        #expect(Emulator.version("bash: not found") == nil)
    }

    @Test func aCrashIsReportedFromALittleBefore() throws {
        var console = ConsoleText()
        console.append(Array("[1] fine\r\n[2] also\r\n".utf8))
        #expect(console.crash == nil)
        console.append(Array((0..<200).map { "[3] line \($0)\n" }.joined().utf8))
        console.append(Array("[4] kernel BUG at fs/fuse/dev.c:1\r\n[5] Call Trace:\n".utf8))
        let report = try #require(console.crash)
        #expect(report.first == "[3] line 196")
        #expect(report.last == "[5] Call Trace:")
    }

    /// What a conversation makes of what a guest says, which is said by `speak` here.
    private func hear(
        silence: Duration = .seconds(5), speak: (_ ends: [CInt]) -> Void = { _ in },
        booted: @escaping (BootedMachine) -> Void = { _ in }
    ) throws -> (GuestReport, output: String) {
        var wires = try GuestWires()
        speak(wires.guestEnds)
        if silence >= .seconds(5) { wires.closeGuestEnds() }
        var settings = MachineSettings()
        settings.silence = silence
        settings.stacksTime = .milliseconds(400)
        nonisolated(unsafe) var output: [UInt8] = []
        var conversation = GuestConversation(
            settings: settings, engine: ("10.0.2", false),
            listener: Guest.Listener(output: { output += $0 }, errors: { _ in }, booted: booted))
        try conversation.follow(&wires)
        return (conversation.report, String(decoding: output, as: UTF8.self))
    }

    private func say(_ text: String, _ end: CInt) { _ = text.withCString { write(end, $0, strlen($0)) } }

    @Test func aJobEndsWithItsStatus() throws {
        let (report, output) = try hear { ends in
            say("hello\n", ends[1])
            say("ready 6.18\nen", ends[3])
            say("ded 3\n", ends[3])
        }
        #expect(report.outcome == .ended(status: 3))
        #expect(report.release == "6.18")
        #expect(report.boot != nil)
        #expect(output == "hello\n")
    }

    @Test func aMachineSaysWhatItIs() throws {
        nonisolated(unsafe) var machines: [BootedMachine] = []
        _ = try hear(
            speak: { say("build #1 SMP Debian\nready 6.18\nended 0\n", $0[3]) }, booted: { machines.append($0) })
        let machine = try #require(machines.first)
        #expect((machine.release, machine.build) == ("6.18", "#1 SMP Debian"))
        #expect((machine.emulator, machine.accelerator) == ("QEMU 10.0.2", "tcg"))
        #expect(machine.commandLine.contains("oops=panic") && machine.cpus == 2)
    }

    @Test func aReportHasAHeadline() {
        #expect(
            ConsoleText.headline(of: ["[  1.0] x", "[    2.345][  T12] Kernel panic - not syncing: sysrq"])
                == "Kernel panic - not syncing: sysrq")
        #expect(
            ConsoleText.headline(of: ["[    2.345] kernel BUG at fs/fuse/dev.c:1!"]) == "kernel BUG at fs/fuse/dev.c:1!"
        )
        #expect(ConsoleText.headline(of: ["all is well"]) == nil)
    }

    /// What a guest has written is read from its disk without a mount.
    @Test(.enabled(if: HostProgram.find("debugfs") != nil && HostProgram.find("mke2fs") != nil, "e2fsprogs is missing"))
    func resultsOutliveAGuest() throws {
        let folder = FilePath("/tmp").appending("vm-results-\(getpid())")
        defer { _ = try? HostProgram.run(["rm", "-rf", folder.string], package: "coreutils") }
        let disk = try ResultsDisk(MachineCache(folder.appending("cache")))
        let content = folder.appending("content")
        try writeFile(content, "evidence\n")
        let image = "/proc/\(getpid())/fd/\(disk.descriptor)"
        let commands = folder.appending("commands")
        try writeFile(commands, "mkdir a\ncd a\nwrite \(content) log\n")
        try HostProgram.run(["debugfs", "-w", "-f", commands.string, image], package: "e2fsprogs")
        let out = folder.appending("out put")
        try disk.extract(into: out)
        #expect(try readFile(out.appending("a/log")) == Array("evidence\n".utf8))
        #expect(access(out.appending("lost+found").string, F_OK) != 0)
    }

    @Test func aGuestThatNeverComesIsNoCrash() throws {
        let (report, _) = try hear { say("No bootable device.\n", $0[0]) }
        #expect(report.outcome == .neverBooted(console: ["No bootable device."], emulator: []))
    }

    @Test func aPanicAtBootIsNoCrashOfTheJob() throws {
        let (report, _) = try hear { say("VFS: no root\nKernel panic - not syncing: VFS\n", $0[0]) }
        #expect(
            report.outcome
                == .neverBooted(console: ["VFS: no root", "Kernel panic - not syncing: VFS"], emulator: []))
    }

    @Test func aPanicInTheJobIsACrash() throws {
        let (report, _) = try hear { ends in
            say("ready 6.18\n", ends[3])
            say("Kernel panic - not syncing: sysrq\n", ends[0])
        }
        #expect(report.outcome == .crashed(report: ["Kernel panic - not syncing: sysrq"]))
    }

    @Test func aGuestThatGoesAwayUnderItsJob() throws {
        let (report, _) = try hear { say("ready 6.18\n", $0[3]) }
        #expect(report.outcome == .vanished(console: [], emulator: []))
    }

    @Test func aSilentGuestIsAskedForStacks() throws {
        var copies: [CInt] = []
        let (report, _) = try hear(silence: .milliseconds(200)) { ends in
            say("ready 6.18\n", ends[3])
            say("sysrq: Show Blocked State\n", ends[0])
            copies = [dup(ends[0]), dup(ends[4])]
        }
        defer { for copy in copies { close(copy) } }
        #expect(report.outcome == .silent(console: ["sysrq: Show Blocked State"]))
        var bytes = [UInt8](repeating: 0, count: 4096)
        #expect(recv(copies[0], &bytes, bytes.count, Int32(MSG_DONTWAIT)) == 2)
        #expect(bytes[..<2] == [UInt8(ascii: "w"), UInt8(ascii: "l")])
        let count = recv(copies[1], &bytes, bytes.count, Int32(MSG_DONTWAIT))
        #expect(String(decoding: bytes[..<count], as: UTF8.self).contains("chardev-send-break"))
    }
}
