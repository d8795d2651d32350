import Testing

@testable import RingFuzzSuite

/// The same defect has the same signature, and another one another.
@Suite struct FindingSignatureTests {
    private func report(_ caller: String, pid: Int, address: String) -> [String] {
        """
        [   12.5] ------------[ cut here ]------------
        [   12.5] kernel BUG at fs/fuse/dev.c:1053!
        [   12.5] Oops: invalid opcode: 0000 [#1] SMP NOPTI
        [   12.5] CPU: 1 UID: 0 PID: \(pid) Comm: fstestkit Not tainted
        [   12.5] RIP: 0010:copy_fill+0x6c6/0x7e0
        [   12.5] RAX: \(address) RBX: 0000000000000000
        [   12.5] Call Trace:
        [   12.5]  <TASK>
        [   12.5]  ? die+0x32/0x90
        [   12.5]  copy_args+0x1b/0x90
        [   12.5]  \(caller)+0x6f/0x100
        [   12.5]  ring_command+0x6f/0x100
        [   12.5]  enter+0x6f/0x100
        [   12.5] ---[ end trace \(address) ]---
        [   12.5] RIP: 0010:copy_fill+0x6c6/0x7e0
        """.split(separator: "\n").map(String.init)
    }

    private func signature(_ report: [String]) -> FindingSignature {
        FindingSignature(headline: "kernel BUG at fs/fuse/dev.c:1053!", report: report)
    }

    @Test func numbersDoNotMatter() {
        #expect(
            signature(report("from_ring", pid: 100, address: "ffff888100a31c00"))
                == signature(report("from_ring", pid: 217, address: "ffff888003bd8800")))
    }

    @Test func theCallersDo() {
        let (one, other) = (report("from_ring", pid: 1, address: "0"), report("to_ring", pid: 1, address: "0"))
        #expect(signature(one) != signature(other))
        #expect(
            signature(one).description
                == "kernel BUG at fs/fuse/dev.c:N! in copy_fill < copy_args < from_ring < ring_command")
    }

    @Test func withoutAReportTheHeadlineIsIt() {
        let line = "killable: 2 killed processes are there still"
        #expect(
            FindingSignature(headline: line) == FindingSignature(headline: line.replacing("2", with: "13")))
    }
}
