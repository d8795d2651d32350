import BenchCore
import Testing

@testable import StopPathSuite

@Suite("Stop path oracles")
struct StopPathOracleTests {
    @Test("A daemon whose last read met the end of its connection ended well; one with another complaint did not")
    func lostToTheEnd() {
        #expect(Cycle.lostToTheEnd("fuse: reading device: Software caused connection abort"))
        #expect(Cycle.lostToTheEnd("mounted | fuse: reading device: Software caused connection abort"))
        #expect(!Cycle.lostToTheEnd("fuse: reading device: Operation not permitted"))
        #expect(!Cycle.lostToTheEnd("fuse: reading device: Software caused connection abort | double free"))
        #expect(!Cycle.lostToTheEnd(""))
    }

    @Test("An abort for want of memory is told from one over a broken heap")
    func aborts() {
        #expect(Cycle.tellsOfCorruption("fuse: memory allocation failed | free(): double free detected in tcache 2"))
        #expect(Cycle.tellsOfCorruption("*** stack smashing detected ***: terminated"))
        #expect(!Cycle.tellsOfCorruption("terminate called after throwing an instance of 'std::bad_alloc'"))
        #expect(!Cycle.tellsOfCorruption("Fatal error: Could not allocate memory."))
    }

    @Test("However many CPUs there are, a load has no more than 32 clients")
    func clientsOfALoad() {
        for cpus in [1, 2, 8, 32, 64, 1024] {
            for perCPU in [1, 2, 3, 8] {
                let places = Cycle.places(perCPU, among: Array(0..<cpus))
                #expect(places.count == min(cpus, 32 / perCPU))
            }
        }
    }

    @Test("Kernel objects may come and go, but not grow with the cycles")
    func kernelObjects() {
        let before = FuseSlabs(objects: ["fuse_inode": 100, "fuse_request": 10])
        func growth(_ inodes: Int, _ requests: Int, over cycles: Int) -> [String] {
            FuseSlabs(objects: ["fuse_inode": inodes, "fuse_request": requests]).growth(since: before, over: cycles)
        }
        #expect(growth(100, 10, over: 30) == [])
        #expect(growth(20, 70, over: 30) == [])
        #expect(growth(165, 10, over: 30) == ["fuse_inode grew by 65 objects over 30 cycles"])
        #expect(growth(100, 511, over: 500) == ["fuse_request grew by 501 objects over 500 cycles"])
        #expect(growth(500, 510, over: 500) == [])
    }

    @Test("A line of a report is short; the evidence has all of it")
    func longMessages() {
        let words = String(repeating: "word ", count: 100)
        let report = OracleReport(oracle: .exit, verdict: .failed(words))
        #expect(report.check.message.count == 200 && report.message == words)
    }
}
