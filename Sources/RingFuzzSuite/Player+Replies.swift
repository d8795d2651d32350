import CBench
import Glibc
import LinuxSystem

/// Answers, right and wrong.
extension Player {
    /// `fuse_out_header` and `fuse_uring_ent_in_out`, as far as a daemon fills them.
    private struct Head {
        var length: UInt32
        var error: Int32
        var unique: UInt64
        var payload: UInt32
    }

    func play(_ move: ServeMove) {
        for _ in 0..<move.count.number {
            if let request = deviceRequests.first ?? readDevice(within: 0) {
                if !deviceRequests.isEmpty { deviceRequests.removeFirst() }
                answer(request)
            } else if let index = found(.held).first {
                note(entries[index].request.opcode, "held")
                let reply = soundReply(index)
                send(index, head(reply, entries[index].request), reply.body)
            } else if let request = readDevice(within: entries.isEmpty && isExpecting ? 250 : 0) {
                answer(request)
            } else {
                return
            }
            pump(0)
        }
    }

    private func answer(_ request: WireRequest) {
        note(request.opcode, "device")
        if request.opcode == Opcode.initialize.rawValue { return deviceRequests.append(request) }
        if Opcode(rawValue: request.opcode)?.takesNoReply == true { return }
        let name = String(decoding: request.arguments.prefix { $0 != 0 }, as: UTF8.self)
        let reply = SoundReply(to: request, name: name)
        writeDevice(message(unique: request.unique, error: reply.error, reply.body))
    }

    private func soundReply(_ index: Int) -> SoundReply {
        let entry = entries[index]
        let isLookup = entry.request.opcode == Opcode.lookup.rawValue
        var reply = SoundReply(to: entry.request, name: isLookup ? entry.memory.payloadName() : nil)
        if reply.error != 0 { reply.body = [] }
        return reply
    }

    private func head(_ reply: SoundReply, _ request: WireRequest) -> Head {
        Head(
            length: UInt32(16 + reply.body.count), error: reply.error, unique: request.unique,
            payload: UInt32(reply.body.count))
    }

    func play(_ move: CommitMove) {
        let state = PlayedEntry.State(rawValue: move.entry.rawValue)!
        guard let index = move.number.among(found(state)) else { return note(0, "none") }
        let entry = entries[index]
        note(entry.request.opcode, entry.state.rawValue)
        var reply = soundReply(index)
        let length = reply.body.isEmpty ? 128 : reply.body.count
        reply.twist(move.body) { random.bytes(length) }
        var head = self.head(reply, entry.request)
        switch move.payload {
        case .same: break
        case .zero: head.payload = 0
        case .short: head.payload = head.payload == 0 ? 0 : head.payload - 1
        case .over: head.payload = UInt32(clamping: belief + 1)
        case .huge: head.payload = .max
        }
        switch move.status {
        case .same: break
        case .failed: head.error = -EIO
        case .positive: head.error = EIO
        case .absurd: head.error = -100_000
        }
        switch move.unique {
        case .own: break
        case .wrong: head.unique &+= 2
        case .zero: head.unique = 0
        case .interrupt: head.unique |= 1
        }
        switch move.length {
        case .same: break
        case .zero: head.length = 0
        case .huge: head.length = .max
        }
        if move.way == .device || move.way == .both {
            var bytes = message(unique: head.unique, error: head.error, reply.body)
            if move.length != .same { bytes.replace(at: 0, with: head.length) }
            writeDevice(bytes)
            if move.way == .device { return }
        }
        for _ in 0..<(move.times == .once ? 1 : 2) {
            send(index, head, reply.body, identity: identity(move, index), queue: queue(move, entry), way: move.way)
        }
        pump(1)
    }

    private func identity(_ move: CommitMove, _ index: Int) -> UInt64 {
        switch move.identity {
        case .own: entries[index].identity
        case .stale: lastIdentity
        case .other: entries.first { $0.identity != entries[index].identity && $0.identity != 0 }?.identity ?? 2
        case .unknown: random.next()
        case .zero: 0
        }
    }

    private func queue(_ move: CommitMove, _ entry: PlayedEntry) -> Int {
        switch move.queue {
        case .own: entry.queue
        case .other: (entry.queue + 1) % queues
        case .beyond: queues
        }
    }

    private func send(
        _ index: Int, _ head: Head, _ body: [UInt8], identity: UInt64? = nil, queue: Int? = nil,
        way: CommitMove.Way = .ring
    ) {
        let entry = entries[index]
        guard let ring = rings[entry.ring] else { return }
        entry.memory.writePayload(body)
        var out = WireBytes()
        out.put32(head.length, UInt32(bitPattern: head.error))
        out.put(head.unique)
        entry.memory.writeHeader(0, out.bytes)
        var tail = WireBytes()
        tail.put32(head.payload)
        entry.memory.writeHeader(256 + 16, tail.bytes)
        var sqe = command(Command.commit, identity: identity ?? entry.identity, queue: queue ?? entry.queue)
        sqe.user_data = UInt64(index + 1)
        switch way {
        case .linked: sqe.flags = CBENCH_SQE_LINK
        case .drained: sqe.flags = CBENCH_SQE_DRAIN
        case .async: sqe.flags = CBENCH_SQE_ASYNC
        case .ring, .device, .both: break
        }
        ring.push(sqe)
        if way == .linked {
            var nothing = cbench_sqe()
            nothing.opcode = CBENCH_OP_NOP
            ring.push(nothing)
        }
        lastIdentity = entry.identity
        entries[index].state = .ready
        ring.enter(0)
    }
}
