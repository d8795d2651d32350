import FUSEServer
import LinuxSystem
import SystemPackage
import Testing

@testable import TransportURing

@Suite struct PlacementTests {
    /// CPUs that the calling thread may run on.
    private static func allowed() throws -> [Int] {
        let status = try readWhole("/proc/thread-self/status")
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") })
        return CPUSet.parse(String(line.dropFirst("Cpus_allowed_list:".count)))
    }

    /// What `body` returns in a thread of its own: not the affinity of one of the tests' pool is changed.
    private static func inThread(_ body: @escaping @Sendable () throws -> [[Int]]) throws -> [[Int]] {
        let result = Promise<Result<[[Int]], any Error>>()
        let thread = try ServerThread.start(name: "placement") { result.fulfill(Result(catching: body)) }
        defer { _ = ServerThread.join([thread], until: Deadline(secondsFromNow: 5)) }
        return try result.wait().get()
    }

    @Test func aThreadIsLetGoAndComesBack() throws {
        let near = CPUSet.sharingPackage(with: 0).filter(CPUSet.allows)
        let seen = try Self.inThread {
            let placement = Placement(cpu: 0)
            #expect(placement.pin())
            return try [true, false, true].map { pinned in
                placement.set(pinned: pinned)
                return try Self.allowed()
            }
        }
        #expect(seen == [[0], near, [0]])
    }

    @Test func aThreadWhoseCPUIsNotToBeHadStaysWhereItMayRun() throws {
        let seen = try Self.inThread {
            let before = try Self.allowed()
            let placement = Placement(cpu: 1 << 9)
            #expect(!placement.pin())
            placement.set(pinned: true)
            placement.set(pinned: false)
            return [before, try Self.allowed()]
        }
        #expect(seen[0] == seen[1])
    }
}
