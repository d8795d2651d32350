import CBench
import Glibc

/// A ring as the player has it, or what is left of one.
final class RawRing {
    private var ring: OpaquePointer?

    /// - Parameters:
    ///   - flags: beyond 128-byte SQEs.
    ///   - completions: as many as the kernel takes it to need if 0.
    init?(flags: UInt32 = 0, completions: UInt32 = 0) {
        guard let ring = cbench_ring_open(64, completions, flags) else { return nil }
        self.ring = ring
    }

    var isOpen: Bool { ring != nil }
    var memory: UInt { ring.map { UInt(bitPattern: cbench_ring_memory($0)) } ?? 0 }

    func push(_ command: cbench_sqe) {
        guard let ring else { return }
        var command = command
        if cbench_ring_push(ring, &command) < 0 {
            cbench_ring_enter(ring, 0)
            cbench_ring_push(ring, &command)
        }
    }

    /// Submits, and waits so long for a completion.
    func enter(_ milliseconds: Int) {
        if let ring { cbench_ring_enter(ring, UInt32(milliseconds)) }
    }

    func pop() -> (data: UInt64, result: Int32)? {
        guard let ring else { return nil }
        var (data, result): (UInt64, Int32) = (0, 0)
        return cbench_ring_pop(ring, &data, &result) == 1 ? (data, result) : nil
    }

    func resize(_ entries: UInt32) {
        guard let ring else { return }
        // Without its mappings nothing can be done with it any more.
        if cbench_ring_resize(ring, entries) < 0 && cbench_ring_memory(ring) == nil { close() }
    }

    func close() {
        guard let ring else { return }
        self.ring = nil
        cbench_ring_close(ring)
    }
}
