import Foundation
import Glibc
import LinuxSystem
import SystemPackage
import Testing

@testable import VirtualMachines

@Suite struct HostTests {
    private let folder = FilePath(NSTemporaryDirectory()).appending("vm-tests-\(UUID().uuidString)")

    private func withCache(_ body: (MachineCache) throws -> Void) throws {
        defer { try? FileManager.default.removeItem(atPath: folder.string) }
        try body(MachineCache(folder))
    }

    @Test func anEntryIsMadeOnce() throws {
        try withCache { cache in
            for content in ["first", "second"] {
                let entry = try cache.entry("a/b", nil) { folder throws(VirtualMachineError) in
                    try writeFile(folder.appending("x"), content)
                }
                #expect(try readFile(entry.appending("x")) == Array("first".utf8))
            }
        }
    }

    @Test func anEntryThatCannotBeMadeIsNotThere() throws {
        try withCache { cache in
            #expect(throws: VirtualMachineError.noDebianMirror) {
                try cache.entry("a", nil) { folder throws(VirtualMachineError) in
                    try writeFile(folder.appending("half"), "")
                    throw .noDebianMirror
                }
            }
            #expect(access(folder.appending("a").string, F_OK) != 0)
            let entry = try cache.entry("a", nil) { _ in }
            #expect(try FileManager.default.contentsOfDirectory(atPath: entry.string).isEmpty)
        }
    }

    @Test func whatAKilledOneLeftGoesWithTheNext() throws {
        try withCache { cache in
            let left = folder.appending("scratch/killed")
            try createFolder(left)
            try cache.withScratch { first throws(VirtualMachineError) in
                #expect(access(left.string, F_OK) != 0)
                // One that is in use stays.
                try cache.withScratch { _ in #expect(access(first.string, F_OK) == 0) }
            }
        }
    }

    @Test func aProgramThatFailsSaysWhy() throws {
        #expect(throws: VirtualMachineError.missingPrograms(["no-such", "nor-this"], packages: ["p", "q"])) {
            try HostProgram.require(["no-such": "p", "sh": "dash", "nor-this": "q"])
        }
        #expect(throws: VirtualMachineError.missingPrograms(["no-such-program"], packages: ["p"])) {
            try HostProgram.run(["no-such-program"], package: "p")
        }
        let command = ["sh", "-c", "echo why >&2; exit 3"]
        #expect(throws: VirtualMachineError.programFailed(command, status: "exit status 3", said: ["why"])) {
            try HostProgram.run(command, package: "dash")
        }
        let shell = try #require(HostProgram.find("sh"))
        #expect(HostProgram.find(shell.string) == shell)
        #expect(HostProgram.find("/nonexistent/sh") == nil)
        #expect(
            try HostProgram.run([shell.string, "-c", "echo $A"], package: "dash", environment: ["A": "b"]) == "b\n")
        #expect(try HostProgram.run(["sh", "-c", "echo $A"], package: "dash", environment: ["A": "b"]) == "b\n")
    }

    @Test func aProcessEndsWithTheThreadThatStartedIt() throws {
        nonisolated(unsafe) var pid: pid_t = 0
        let started = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            let sleep = HostProgram.find("sleep")!
            pid =
                (try? DependentProcess.start(sleep, ["sleep", "600"], environment: [:], descriptors: [-1, -1, -1])) ?? 0
            started.signal()
        }
        started.wait()
        try #require(pid > 0)
        var status: CInt = 0
        _ = try Errno.check { waitpid(pid, &status, 0) }
        #expect(status & 0x7f == SIGKILL)
    }

    @Test func descriptorsTakeTheirPlaces() throws {
        // Ends that lie where others shall go.
        var pipe = try PipeEnds()
        let ends = [pipe.writing, 2, 0, pipe.writing, -1]
        let shell = try #require(HostProgram.find("sh"))
        let command = [
            "sh", "-c",
            "echo three >&3; ls /proc/self/fd >/dev/null; [ -e /proc/self/fd/4 ] && [ ! -e /proc/$$/fd/5 ] && echo closed >&3",
        ]
        let pid = try DependentProcess.start(shell, command, environment: [:], descriptors: ends)
        pipe.closeWriting()
        _ = try Errno.check { waitpid(pid, nil, 0) }
        var bytes = [UInt8](repeating: 0, count: 100)
        let count = read(pipe.reading, &bytes, 100)
        #expect(String(decoding: bytes[..<count], as: UTF8.self) == "three\nclosed\n")
    }
}
