import LinuxSystem
import Synchronization
import SystemPackage

/// The open files or directories that the kernel holds, by the `fh` of OPEN and OPENDIR.
///
/// A number holds place and generation, so that one that was released, or never given, is EBADF and never another file.
/// Striped, so that threads that work on different files do not meet; each stripe's lock is a leaf.
final class HandleTable<Element: AnyObject & Sendable>: Sendable {
    private let stripes: [Stripe]
    private let nextStripe = Atomic<UInt32>(0)
    private static var stripeBits: UInt64 { 4 }

    private final class Stripe: Sendable {
        let slots = Lock<Slots>(Slots())
    }

    private struct Slots {
        var slots: [Slot] = []
        var vacant: [Int] = []
    }

    private struct Slot {
        var generation: UInt32
        var element: Element?
    }

    init() {
        stripes = (0..<1 << Int(HandleTable.stripeBits)).map { _ in Stripe() }
    }

    /// Gives an element its number.
    func insert(_ element: Element) -> UInt64 {
        let stripe = UInt64(nextStripe.add(1, ordering: .relaxed).oldValue) & (1 << HandleTable.stripeBits - 1)
        return stripes[Int(stripe)].slots.withLock { slots in
            let place: Int
            if let vacant = slots.vacant.popLast() {
                place = vacant
                slots.slots[place].element = element
            } else {
                place = slots.slots.count
                slots.slots.append(Slot(generation: 1, element: element))
            }
            return UInt64(slots.slots[place].generation) << 32 | UInt64(place) << HandleTable.stripeBits | stripe
        }
    }

    /// The element of a number.
    ///
    /// - Throws: EBADF if there is none.
    func find(_ number: UInt64) throws(Errno) -> Element {
        let (stripe, place, generation) = HandleTable.split(number)
        let element = stripes[stripe].slots.withLock { slots -> Element? in
            guard place < slots.slots.count, slots.slots[place].generation == generation else { return nil }
            return slots.slots[place].element
        }
        guard let element else { throw .badFileDescriptor }
        return element
    }

    /// Takes an element out; its number is not given again until 2³² others were.
    ///
    /// - Throws: EBADF if there is none.
    func remove(_ number: UInt64) throws(Errno) -> Element {
        let (stripe, place, generation) = HandleTable.split(number)
        let element = stripes[stripe].slots.withLock { slots -> Element? in
            guard place < slots.slots.count, slots.slots[place].generation == generation,
                let element = slots.slots[place].element.take()
            else { return nil }
            slots.slots[place].generation &+= 1
            slots.vacant.append(place)
            return element
        }
        guard let element else { throw .badFileDescriptor }
        return element
    }

    /// Lets go of everything.
    func removeAll() {
        for stripe in stripes {
            let slots = stripe.slots.withLock { slots in
                defer { slots = Slots() }
                return slots
            }
            _ = consume slots
        }
    }

    private static func split(_ number: UInt64) -> (stripe: Int, place: Int, generation: UInt32) {
        let low = number & 0xffff_ffff
        return (Int(low & (1 << stripeBits - 1)), Int(low >> stripeBits), UInt32(number >> 32))
    }
}
