import CBench
import CLinux
import Glibc

/// INIT, and what makes entries.
extension Player {
    /// `enum fuse_uring_cmd`
    enum Command {
        static let register: UInt32 = 1
        static let commit: UInt32 = 2
        static let addQueue: UInt32 = 3
        static let addPool: UInt32 = 4
    }

    /// INIT's flags.
    private enum Flag {
        static let initExtended: UInt64 = 1 << 30
        static let maxPages: UInt64 = 1 << 22
        static let ring: UInt64 = 1 << 41
        static let bufferPools: UInt64 = 1 << 43
        /// Several reads at once, locks, large writes, READDIRPLUS, parallel operations of a directory.
        static let usual: UInt64 =
            1 << 0 | 1 << 1 | 1 << 5 | 1 << 13 | 1 << 14 | 1 << 18 | maxPages | initExtended | ring | bufferPools
    }

    func play(_ move: InitMove) {
        guard let request = deviceRequests.first ?? readDevice(within: isInitialized ? 0 : 1000) else {
            return note(0, "none")
        }
        deviceRequests = []
        guard request.opcode == Opcode.initialize.rawValue else {
            deviceRequests = [request]
            return note(request.opcode, "device")
        }
        note(request.opcode, "device")
        if move.reply == .never { return }
        isInitialized = true
        if move.reply == .cloned { play(DeviceMove(.clone)) }
        let reply = initReply(move, request)
        writeDevice(reply)
        if move.reply == .twice { writeDevice(reply) }
    }

    private func initReply(_ move: InitMove, _ request: WireRequest) -> [UInt8] {
        let arguments = request.arguments
        let minor: UInt32 = arguments.number(at: 4)
        let (low, high): (UInt32, UInt32) = (arguments.number(at: 12), arguments.number(at: 16))
        let offered = UInt64(low) | UInt64(high) << 32
        let flags: UInt64 =
            switch move.flags {
            case .usual: Flag.usual & offered
            case .ring: (Flag.ring | Flag.initExtended) & offered
            case .none: 0
            case .offered: offered
            case .every: .max
            }
        var (maxWrite, maxPages): (UInt32, UInt16) =
            switch move.size {
            case .usual: (1 << 17, 32)
            case .small: (4096, 1)
            case .large: (1 << 20, 256)
            }
        switch move.maxWrite {
        case .usual: break
        case .zero: maxWrite = 0
        case .page: maxWrite = 4096
        case .huge: maxWrite = .max
        }
        switch move.maxPages {
        case .usual: break
        case .zero: maxPages = 0
        case .one: maxPages = 1
        case .most: maxPages = .max
        }
        let background: UInt16 =
            switch move.background {
            case .usual: 12
            case .zero: 0
            case .one: 1
            case .most: .max
            }
        let version: (UInt32, UInt32) =
            switch move.version {
            case .same: (7, minor)
            case .old: (7, 8)
            case .other: (6, 1)
            case .future: (7, 999)
            }
        // As the kernel reckons: a page of 4096 bytes, 256 pages at most.
        let pages = flags & Flag.maxPages != 0 ? min(max(Int(maxPages), 1), 256) : 32
        belief = max(8192, max(Int(maxWrite), 4096), pages * EntryMemory.page)

        var body = WireBytes()
        body.put32(version.0, version.1, 1 << 17, UInt32(truncatingIfNeeded: flags))
        body.put16(background, background / 4 * 3)
        body.put32(maxWrite, 1)
        body.put16(maxPages, 0)
        body.put32(UInt32(truncatingIfNeeded: flags >> 32))
        body.fill(to: 64)
        var bytes = body.bytes
        if move.reply == .short { bytes.removeLast(30) }
        if move.reply == .long { bytes += [UInt8](repeating: 0xff, count: 64) }
        return message(unique: request.unique, error: move.reply == .error ? -EIO : 0, bytes)
    }

    /// `fuse_out_header` and what follows it.
    func message(unique: UInt64, error: Int32, _ body: [UInt8]) -> [UInt8] {
        var bytes = WireBytes()
        bytes.put32(UInt32(16 + body.count), UInt32(bitPattern: error))
        bytes.put(unique)
        bytes.put(body)
        return bytes.bytes
    }

    func play(_ move: RegisterMove) {
        guard let (index, ring) = self.ring(move.ring) else { return note(0, "no ring") }
        let numbers: [Int] =
            switch move.queue {
            case .every: Array(0..<queues)
            case .first: [0]
            case .last: [queues - 1]
            case .beyond: [queues]
            }
        for queue in numbers {
            for _ in 0..<move.depth.number where entries.count < Player.mostEntries {
                register(move, queue: queue, index, ring)
            }
        }
        note(0, "new")
        pump(1)
    }

    private func register(_ move: RegisterMove, queue: Int, _ index: Int, _ ring: RawRing) {
        // More than that no test needs: the kernel refuses what is less than it believes.
        let least = min(belief, 1 << 24)
        let size =
            switch move.payload {
            case .ample: max(least, 1 << 17)
            case .least: least
            case .short: least - 1
            case .zero: 0
            }
        guard var memory = EntryMemory(payload: size) else { return }
        if let pool = pools[queue] { (memory.payload, memory.payloadLength) = (pool, belief) }
        spoil(&memory, move.memory, ring)
        var vectors: [(UInt, Int)] = [
            (memory.header, memory.headerLength),
            pools[queue] == nil ? (memory.payload, memory.payloadLength) : (0, 0), (memory.payload, 16),
        ]
        switch move.header {
        case .whole: break
        case .odd:
            memory.header += 1
            vectors[0].0 += 1
        case .short: vectors[0].1 -= 1
        case .null: vectors[0] = (0, 0)
        }
        // Left where it is: the kernel may read it later.
        let place = UnsafeMutablePointer<iovec>.allocate(capacity: 3)
        for (offset, vector) in vectors.enumerated() {
            place[offset] = iovec(iov_base: UnsafeMutableRawPointer(bitPattern: vector.0), iov_len: vector.1)
        }
        entries.append(PlayedEntry(queue: queue, ring: index, memory: memory))
        var sqe = command(Command.register, queue: queue)
        sqe.address = move.vectors == .null ? 0 : UInt64(UInt(bitPattern: place))
        sqe.length =
            switch move.vectors {
            case .two, .null: 2
            case .one: 1
            case .three: 3
            }
        sqe.user_data = UInt64(entries.count)
        ring.push(sqe)
        ring.enter(0)
    }

    private func spoil(_ memory: inout EntryMemory, _ kind: RegisterMove.Memory, _ ring: RawRing) {
        let payload = UnsafeMutableRawPointer(bitPattern: memory.payload)
        switch kind {
        case .own: break
        case .unmapped:
            munmap(payload, memory.payloadLength)
            memory.isPayloadMine = false
        case .readonly:
            mprotect(payload, memory.payloadLength, PROT_READ)
            memory.isPayloadMine = false
        case .overlapping: memory.payload = memory.header
        case .shared: if let first = entries.first { memory = first.memory }
        case .ring:
            memory.payload = ring.memory
            memory.isPayloadMine = false
        case .kernel:
            memory.payload = 0xffff_8880_0000_0000
            memory.isPayloadMine = false
        }
    }

    func play(_ move: PoolMove) {
        guard let (_, ring) = self.ring(.first) else { return note(0, "no ring") }
        let numbers: [Int] =
            switch move.queue {
            case .every: Array(0..<queues)
            case .first: [0]
            case .beyond: [queues]
            }
        for queue in numbers {
            if move.act == .buffers {
                addPool(move, queue, ring)
            } else {
                ring.push(command(Command.addQueue, flags: move.act == .zeroCopyQueue ? 1 : 0, queue: queue))
            }
        }
        note(0, "new")
        pump(1)
    }

    private func addPool(_ move: PoolMove, _ queue: Int, _ ring: RawRing) {
        let one = min(belief, 1 << 22)
        let length =
            switch move.size {
            case .two: 2 * one
            case .one: one
            case .odd: 2 * one - 4096
            case .zero: 0
            case .huge: 1 << 31
            }
        guard let start = EntryMemory.map(2 * one) else { return }
        pools[queue] = start
        let address =
            switch move.memory {
            case .own: start
            case .unmapped: UInt(4096)
            case .odd: start + 1
            }
        ring.push(command(Command.addPool, queue: queue, address: address, length: UInt32(length)))
    }
}
