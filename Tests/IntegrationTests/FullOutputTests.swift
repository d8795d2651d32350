import BenchCore
import Glibc
import LinuxSystem
import SystemPackage
import Testing

extension Mounting {
    /// The results' folder fills up while a suite runs: a verdict that is lost may be the one that matters.
    @Suite(.serialized) struct FullOutputTests {
        @Test(
            arguments: [
                ["stop-path", "--scenario", "idle-sigterm", "--cycles", "200"], ["correctness", "--jobs", "1"],
            ])
        func aSuiteSaysThatItsResultsAreLost(_ suite: [String]) throws {
            try Mounting.withBench { bench, _, _ in
                let output = bench.folder.appending("results")
                mkdir(output.string, 0o755)
                try #require(mount("none", output.string, "tmpfs", 0, "size=1m") == 0)
                defer { umount2(output.string, 2 /* MNT_DETACH */) }
                let log = bench.folder.appending("log")
                let child = try bench.spawn(
                    [Mounting.program] + suite + ["--transport", "legacy", "--output", output.string], output: log)
                let results = output.appending("results.jsonl").string
                func count() -> Int { (contents(of: results) ?? "").split(separator: "\n").count }
                #expect(Deadline(after: .seconds(60)).wait(upTo: .milliseconds(10)) { count() > 2 })
                let filler = open(output.appending("filler").string, O_WRONLY | O_CREAT, 0o600)
                defer { close(filler) }
                let page = [UInt8](repeating: 0, count: 4096)
                while write(filler, page, page.count) > 0 {}
                let status = child.wait(.seconds(120))
                if status == nil { child.kill() }
                let text = contents(of: log.string) ?? ""
                #expect(status == .exited(70), "\(text.suffix(2000))")
                #expect(text.contains("results cannot be kept: \(output)/"), "\(text.suffix(2000))")
                #expect(text.contains("ENOSPC"), "\(text.suffix(2000))")
                // What was found until then.
                #expect(text.contains(suite[0] == "stop-path" ? "cycles, " : "passed"), "\(text.suffix(2000))")
                #expect(MountTable.mounts(below: bench.folder.string).count <= 1)
            }
        }
    }
}
