import BenchCore
import Foundation
import SystemPackage
import Testing

/// What ring-fuzz refuses before anything is played.
@Suite struct RingFuzzTests {
    /// A file with this script, for as long as `body` runs.
    private func withScript(_ text: String, _ body: (String) throws -> Void) throws {
        let path = NSTemporaryDirectory() + "fstestkit-\(UUID().uuidString).script"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    private func run(_ arguments: [String]) throws -> (BenchCore.ExitStatus?, String) {
        let log = FilePath(NSTemporaryDirectory() + "fstestkit-\(UUID().uuidString).log")
        defer { try? FileManager.default.removeItem(atPath: log.string) }
        let child = try ChildProcess.spawn([Mounting.program] + arguments, output: log)
        let status = child.wait(.seconds(60))
        if status == nil { child.kill() }
        return (status, child.output)
    }

    @Test func thisMachineIsNotRiskedUnasked() throws {
        try withScript("init\nregister\n") { path in
            for arguments in [["--cases", "1"], ["--replay", path]] {
                let (status, text) = try run(["ring-fuzz"] + arguments)
                #expect(status == .exited(64), "\(text)")
                #expect(text.contains("--kernel") && text.contains("--allow-host-changes"), "\(text)")
            }
        }
    }

    @Test func aScriptThatIsNoneIsRefusedWithItsLine() throws {
        try withScript("init\ncommit payload=much\n") { path in
            let (status, text) = try run(["ring-fuzz", "--kernel", "deb:9", "--replay", path])
            #expect(status == .exited(64), "\(text)")
            #expect(text.contains("\(path):2: commit: there is no 'payload=much'"), "\(text)")
        }
    }

    @Test(arguments: [
        ["--cases", "1", "--duration", "1"], ["--replay", "/x", "--seed", "1"], ["--times", "2"], ["--shrink"],
        ["--corpus", "--replay", "/x"], ["--corpus", "--cases", "2"],
        ["--avoid", ","], ["--kernel", "deb:9", "--allow-host-changes"],
    ])
    func whatContradictsItselfIsRefused(_ arguments: [String]) throws {
        let (status, text) = try run(["ring-fuzz"] + arguments)
        #expect(status == .exited(64), "\(text)")
        #expect(!text.contains("may take this machine down"), "\(text)")
    }
}
