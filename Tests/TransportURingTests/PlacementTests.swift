import FUSEServer
import LinuxSystem
import Testing

@testable import TransportURing

@Suite struct PlacementTests {
    /// CPUs that the calling thread may run on.
    private static func allowed() throws -> [Int] {
        let status = try readWhole("/proc/thread-self/status")
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") })
        return CPUSet.parse(String(line.dropFirst("Cpus_allowed_list:".count)))
    }

    @Test func aLoneClientThatSleepsLetsTheThreadGo() throws {
        let near = CPUSet.sharingPackage(with: 0).filter(CPUSet.allows)
        let result = Handover<Result<[[Int]], any Error>>()
        // The affinity of a thread of its own is changed, not that of one of the tests' pool.
        let thread = try ServerThread.start(name: "placement") {
            result.put(
                Result {
                    let placement = Placement(cpu: 0)
                    #expect(placement.pin())
                    var seen = [try Self.allowed()]
                    func step(alone: Bool) throws {
                        placement.adjust(alone: alone)
                        seen.append(try Self.allowed())
                    }
                    for _ in 1..<Placement.patience { placement.note(slept: true) }
                    placement.note(slept: nil)
                    try step(alone: true)
                    placement.note(slept: true)
                    try step(alone: false)
                    try step(alone: true)
                    placement.note(slept: false)
                    try step(alone: true)
                    return seen
                })
        }
        let seen = try result.take().get()
        _ = ServerThread.join([thread], until: Deadline(secondsFromNow: 5))
        // Pinned; one sleep too few; not alone; let go; back after a request that did not sleep.
        #expect(seen == [[0], [0], [0], near, [0]])
    }
}
