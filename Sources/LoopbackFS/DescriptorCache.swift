import Glibc
import LinuxSystem
import Synchronization

/// A bounded number of descriptors of inodes, replaced by second chance, so that inodes may outnumber descriptors.
///
/// A cell's whole state is one atomic word, so using a descriptor takes no lock. Inodes remember the cell and its tag; a
/// tag that no longer matches says that the cell went to another inode. A pinned cell's descriptor is not closed.
// Safe: cells live as long as this, and their indices are below the capacity.
@safe
final class DescriptorCache: Sendable {
    /// Where an inode's descriptor was put.
    struct Slot: Equatable {
        fileprivate(set) var index: UInt32
        fileprivate(set) var tag: UInt32

        static let none = Slot(index: .max, tag: 0)

        var rawValue: UInt64 { UInt64(tag) << 32 | UInt64(index) }

        init(index: UInt32, tag: UInt32) {
            self.index = index
            self.tag = tag
        }

        init(rawValue: UInt64) {
            self.init(index: UInt32(truncatingIfNeeded: rawValue), tag: UInt32(rawValue >> 32))
        }
    }

    /// One cell: descriptor (20 bits: more than a process can have, unless `fs.nr_open` was raised), occupied, used since the hand last passed,
    /// pins (14 bits), tag (28 bits).
    private struct Word {
        var bits: UInt64

        static let largestDescriptor: CInt = 1 << 20 - 1
        static let referenced: UInt64 = 1 << 21
        static let onePin: UInt64 = 1 << 22

        var descriptor: CInt { CInt(bits & 0xf_ffff) }
        var isOccupied: Bool { bits & 1 << 20 != 0 }
        var isReferenced: Bool { bits & Word.referenced != 0 }
        var pins: UInt64 { bits >> 22 & 0x3fff }
        var tag: UInt32 { UInt32(bits >> 36) }

        /// Vacant, and with the next tag, so that slots of the last tenant do not match.
        var vacated: Word { Word(bits: UInt64((tag &+ 1) & 0xfff_ffff) << 36) }
        /// Of a new tenant, pinned once, and not yet proved useful: a scan over many files does not push out those in use.
        func occupied(by descriptor: CInt) -> Word {
            Word(bits: UInt64(tag) << 36 | Word.onePin | 1 << 20 | UInt64(descriptor))
        }
    }

    /// Most descriptors held at a time.
    let capacity: Int
    private nonisolated(unsafe) let cells: UnsafeMutablePointer<Atomic<UInt64>>
    private let places: Lock<Places>

    /// Taken while a cell changes its tenant; no other lock is taken under it and no system call is made.
    private struct Places {
        var vacant: [UInt32]
        var hand = 0
    }

    init(capacity: Int) {
        self.capacity = capacity
        unsafe cells = .allocate(capacity: capacity)
        for index in 0..<capacity { unsafe (cells + index).initialize(to: Atomic(0)) }
        places = Lock(Places(vacant: (0..<UInt32(capacity)).reversed()))
    }

    deinit {
        for index in 0..<capacity {
            let word = unsafe Word(bits: cells[index].load(ordering: .relaxed))
            if word.isOccupied { close(word.descriptor) }
        }
        unsafe cells.deinitialize(count: capacity)
        unsafe cells.deallocate()
    }

    /// Takes a descriptor over and pins it, closing another one if all cells are taken.
    ///
    /// - Returns: nil if every cell is pinned, or the descriptor's number too large: then the caller keeps it.
    func insert(_ descriptor: CInt) -> Slot? {
        guard descriptor <= Word.largestDescriptor else { return nil }
        let (slot, evicted) = places.withLock { places -> (Slot?, CInt?) in
            var evicted: CInt?
            guard let index = places.vacant.popLast() ?? evict(&places, closing: &evicted) else { return (nil, nil) }
            let word = unsafe Word(bits: cells[Int(index)].load(ordering: .relaxed)).occupied(by: descriptor)
            unsafe cells[Int(index)].store(word.bits, ordering: .releasing)
            return (Slot(index: index, tag: word.tag), evicted)
        }
        if let evicted { close(evicted) }
        return slot
    }

    /// The descriptor of this slot, pinned; nil if it was closed in the meantime.
    func pin(_ slot: Slot) -> CInt? {
        guard slot.index < UInt32(capacity) else { return nil }
        let cell = unsafe cells + Int(slot.index)
        var current = unsafe cell.pointee.load(ordering: .relaxed)
        while true {
            let word = Word(bits: current)
            guard word.isOccupied, word.tag == slot.tag, word.pins < 0x3fff else { return nil }
            let new = (current | Word.referenced) + Word.onePin
            let (exchanged, original) = unsafe cell.pointee.compareExchange(
                expected: current, desired: new, ordering: .acquiring)
            if exchanged { return word.descriptor }
            current = original
        }
    }

    /// Ends one use of a slot that was pinned.
    func unpin(_ index: UInt32) {
        unsafe cells[Int(index)].subtract(Word.onePin, ordering: .releasing)
    }

    /// Takes a slot's descriptor out, for an inode that goes or that keeps it itself; nil if it was closed or is pinned.
    func remove(_ slot: Slot) -> CInt? {
        guard slot.index < UInt32(capacity) else { return nil }
        let cell = unsafe cells + Int(slot.index)
        var current = unsafe cell.pointee.load(ordering: .relaxed)
        while true {
            let word = Word(bits: current)
            guard word.isOccupied, word.tag == slot.tag, word.pins == 0 else { return nil }
            let (exchanged, original) = unsafe cell.pointee.compareExchange(
                expected: current, desired: word.vacated.bits, ordering: .acquiring)
            if exchanged {
                places.withLock { $0.vacant.append(slot.index) }
                return word.descriptor
            }
            current = original
        }
    }

    /// Closes up to `count` descriptors that are not in use, when the process has run out of them.
    ///
    /// - Returns: how many were closed.
    func shrink(by count: Int) -> Int {
        var closed = 0
        for _ in 0..<count {
            let descriptor = places.withLock { places -> CInt? in
                var evicted: CInt?
                guard let index = evict(&places, closing: &evicted) else { return nil }
                places.vacant.append(index)
                return evicted
            }
            guard let descriptor else { break }
            close(descriptor)
            closed += 1
        }
        return closed
    }

    /// Closes the descriptors that were not used since the last time.
    ///
    /// - Returns: whether there are others.
    func sweep() -> Bool {
        var isOccupied = false
        for index in 0..<capacity {
            let current = unsafe cells[index].load(ordering: .relaxed)
            let word = Word(bits: current)
            guard word.isOccupied else { continue }
            isOccupied = isOccupied || word.isReferenced || word.pins > 0
            guard word.pins == 0 else { continue }
            let new = word.isReferenced ? current & ~Word.referenced : word.vacated.bits
            let (exchanged, _) = unsafe cells[index].compareExchange(
                expected: current, desired: new, ordering: .acquiring)
            guard exchanged else {
                isOccupied = true
                continue
            }
            if !word.isReferenced {
                places.withLock { $0.vacant.append(UInt32(index)) }
                close(word.descriptor)
            }
        }
        return isOccupied
    }

    /// Turns the hand until a cell is found that is neither pinned nor was used since the last turn, and empties it.
    private func evict(_ places: inout Places, closing evicted: inout CInt?) -> UInt32? {
        for _ in 0..<2 * capacity {
            let index = places.hand
            places.hand = index + 1 == capacity ? 0 : index + 1
            let current = unsafe cells[index].load(ordering: .relaxed)
            let word = Word(bits: current)
            guard word.isOccupied, word.pins == 0 else { continue }
            let new = word.isReferenced ? current & ~Word.referenced : word.vacated.bits
            let (exchanged, _) = unsafe cells[index].compareExchange(
                expected: current, desired: new, ordering: .acquiring)
            if exchanged && !word.isReferenced {
                evicted = word.descriptor
                return UInt32(index)
            }
        }
        return nil
    }
}
