import LinuxSystem
import Synchronization
import SystemPackage

/// The open files or directories that the kernel holds, by the `fh` of OPEN and OPENDIR.
///
/// A number holds place and generation, so that one that was released, or never given, is EBADF and never another file.
/// Each read and write looks one up, so that takes no lock: slots never move, and the kernel sends RELEASE only when no request
/// names the file any more (`fuse_file_put` in fs/fuse/file.c).
// Safe: slots never move and go with this; an element that is taken out is let go of once.
@safe
final class HandleTable<Element: AnyObject & Sendable>: @unchecked Sendable {
    // Safe: what the pointer leads to, the table keeps alive.
    @safe
    private struct Slot: ~Copyable {
        /// Goes up when the element is taken out.
        let generation = Atomic<UInt32>(1)
        /// An `Element` that this reference keeps alive.
        let element = unsafe Atomic<UnsafeRawPointer?>(nil)
    }

    /// Places by their use; a leaf lock.
    private struct Places {
        /// Places that were ever used.
        var count = 0
        var vacant: [Int] = []
    }

    private typealias Chunk = UnsafeMutablePointer<Slot>

    /// Chunk `n` has `firstChunk << n` slots and is made when it is first needed.
    private let chunks: UnsafeMutablePointer<Atomic<Chunk?>>
    private let places = Lock(Places())

    private static var firstChunk: Int { 64 }
    /// Enough for every place that a number has bits for.
    private static var chunkCount: Int { 27 }

    init() {
        unsafe chunks = .allocate(capacity: HandleTable.chunkCount)
        for index in 0..<HandleTable.chunkCount { unsafe (chunks + index).initialize(to: Atomic(nil)) }
    }

    deinit {
        removeAll()
        for index in 0..<HandleTable.chunkCount {
            guard let chunk = unsafe chunks[index].load(ordering: .relaxed) else { continue }
            unsafe chunk.deinitialize(count: HandleTable.firstChunk << index)
            unsafe chunk.deallocate()
        }
        unsafe chunks.deinitialize(count: HandleTable.chunkCount)
        unsafe chunks.deallocate()
    }

    /// Gives an element its number.
    func insert(_ element: Element) -> UInt64 {
        places.withLock { places in
            let place: Int
            if let vacant = places.vacant.popLast() {
                place = vacant
            } else {
                place = places.count
                places.count += 1
            }
            let slot = unsafe slot(at: place) ?? makeSlot(at: place)
            unsafe slot.pointee.element.store(Unmanaged.passRetained(element).toOpaque(), ordering: .releasing)
            return unsafe UInt64(slot.pointee.generation.load(ordering: .relaxed)) << 32 | UInt64(place)
        }
    }

    /// The element of a number.
    ///
    /// - Throws: EBADF if there is none.
    func find(_ number: UInt64) throws(Errno) -> Element { unsafe try reference(number).takeUnretainedValue() }

    /// What `part` takes of the element of a number. No reference to the element is counted, which two threads that read one file
    /// would take from each other's caches.
    ///
    /// - Throws: EBADF if there is none.
    @inline(__always)
    func find<Part>(_ number: UInt64, _ part: (Element) -> Part) throws(Errno) -> Part {
        unsafe try reference(number)._withUnsafeGuaranteedRef(part)
    }

    @inline(__always)
    private func reference(_ number: UInt64) throws(Errno) -> Unmanaged<Element> {
        // The element first: one that has taken the place since then has another generation.
        guard let slot = unsafe slot(at: Int(number & 0xffff_ffff)),
            let element = unsafe slot.pointee.element.load(ordering: .acquiring),
            unsafe slot.pointee.generation.load(ordering: .acquiring) == UInt32(number >> 32)
        else { throw .badFileDescriptor }
        return unsafe Unmanaged.fromOpaque(element)
    }

    /// Takes an element out; its number is not given again until 2³² others were.
    ///
    /// - Throws: EBADF if there is none.
    func remove(_ number: UInt64) throws(Errno) -> Element {
        let place = Int(number & 0xffff_ffff)
        let element = places.withLock { places -> Element? in
            guard let slot = unsafe slot(at: place),
                unsafe slot.pointee.generation.load(ordering: .relaxed) == UInt32(number >> 32)
            else { return nil }
            return unsafe vacate(slot, at: place, &places)
        }
        guard let element else { throw .badFileDescriptor }
        return element
    }

    /// Any element that `matches`; looks at all of them.
    func first(where matches: (Element) -> Bool) -> Element? {
        // What is in a slot is not let go of while this lock is held.
        places.withLock { places in
            for place in 0..<places.count {
                guard let element = unsafe slot(at: place)?.pointee.element.load(ordering: .acquiring) else { continue }
                let candidate = unsafe Unmanaged<Element>.fromOpaque(element).takeUnretainedValue()
                if matches(candidate) { return candidate }
            }
            return nil
        }
    }

    /// Lets go of everything.
    func removeAll() {
        // With the lock given back: what ends with an element may take its time.
        let elements = places.withLock { places in
            (0..<places.count).compactMap { unsafe vacate(slot(at: $0)!, at: $0, &places) }
        }
        _ = consume elements
    }

    /// - Returns: what was there, which is the caller's to keep now.
    private func vacate(_ slot: Chunk, at place: Int, _ places: inout Places) -> Element? {
        guard let element = unsafe slot.pointee.element.exchange(nil, ordering: .acquiringAndReleasing) else {
            return nil
        }
        unsafe slot.pointee.generation.add(1, ordering: .releasing)
        places.vacant.append(place)
        return unsafe Unmanaged<Element>.fromOpaque(element).takeRetainedValue()
    }

    @inline(__always)
    private func slot(at place: Int) -> Chunk? {
        let (chunk, index) = HandleTable.split(place)
        return unsafe chunks[chunk].load(ordering: .acquiring).map { unsafe $0 + index }
    }

    private func makeSlot(at place: Int) -> Chunk {
        let (chunk, index) = HandleTable.split(place)
        let count = HandleTable.firstChunk << chunk
        let slots = Chunk.allocate(capacity: count)
        for slot in 0..<count { unsafe (slots + slot).initialize(to: Slot()) }
        unsafe chunks[chunk].store(slots, ordering: .releasing)
        return unsafe slots + index
    }

    /// Chunk and slot of a place (0…2³² - 1).
    @inline(__always)
    private static func split(_ place: Int) -> (chunk: Int, index: Int) {
        let shifted = place + firstChunk
        let chunk = shifted.leadingBit - firstChunk.leadingBit
        return (chunk, shifted - firstChunk << chunk)
    }
}

extension Int {
    /// The number of the highest bit that is set.
    fileprivate var leadingBit: Int { Int.bitWidth - 1 - leadingZeroBitCount }
}
