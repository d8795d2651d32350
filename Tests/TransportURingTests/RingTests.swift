import CLibURing
import FUSEServer
import Glibc
import LinuxSystem
import SystemPackage
import Testing

@testable import TransportURing

/// Where io_uring may be used.
private let hasIOURing = (try? RingBox(submissions: 2)) != nil

/// Swift gives no closure a value that cannot be copied.
private final class RingBox: @unchecked Sendable {
    let ring: Ring

    init(submissions: Int) throws(TransportError) {
        let device = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(device) }
        ring = try Ring(submissions: submissions, device: device)
    }

    var isSubmitted: Bool { ring.isSubmitted }
    var completionCount: Int { ring.completionCount }

    func prepare() {
        cliburing_prep_backing(ring.nextSubmission(), IORING_OP_NOP.rawValue, -1, nil, 0, 0, 0, 7)
    }
}

@Suite(.enabled(if: hasIOURing, "needs io_uring with 128-byte SQEs")) struct RingTests {
    @Test func moreThanFitsIsSubmittedInBetween() throws {
        let box = try RingBox(submissions: 2)
        for _ in 0..<3 { box.prepare() }
        #expect(!box.isSubmitted)
        try box.ring.submit()
        #expect(box.isSubmitted)
        try box.ring.submitAndWait()
        #expect(box.completionCount == 3)
    }

    /// The kernel takes submissions from the thread that made the ring alone (SINGLE_ISSUER), so that any other one's fail.
    @Test func aRingThatTakesNothingIsNoReasonToTurnInCircles() throws {
        let box = try RingBox(submissions: 2)
        let errors = Lock<[Errno]>([])
        let thread = try ServerThread.start(name: "other") {
            for _ in 0..<100 { box.prepare() }
            for _ in 0..<2 {
                do throws(Errno) {
                    try box.ring.submit()
                } catch {
                    errors.withLock { $0.append(error) }
                }
            }
        }
        #expect(ServerThread.join([thread], until: Deadline(secondsFromNow: 10)).isEmpty, "it turns in circles")
        #expect(errors.withLock { $0 } == [.noBufferSpace, .noBufferSpace])
    }
}
