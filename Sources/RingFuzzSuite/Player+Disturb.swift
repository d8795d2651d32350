import CBench
import CFUSE
import CLinux
import Glibc
import LinuxSystem

/// What is done to rings, buffers and `/dev/fuse` beside the requests.
extension Player {
    func play(_ move: RingMove) {
        let index = move.ring == .first ? 0 : 1
        note(0, rings[index] == nil ? "none" : "open")
        switch move.act {
        case .cancel, .cancelOne:
            var cancel = cbench_sqe()
            cancel.opcode = CBENCH_OP_ASYNC_CANCEL
            if move.act == .cancel { cancel.command_flags = CBENCH_CANCEL_ALL_ANY } else { cancel.address = 1 }
            rings[index]?.push(cancel)
        case .overflow:
            var nothing = cbench_sqe()
            nothing.opcode = CBENCH_OP_NOP
            for _ in 0..<512 { rings[index]?.push(nothing) }
        case .resize: rings[index]?.resize(256)
        case .inherit:
            // It has the ring and the device for a second longer than this process.
            if cbench_fork() == 0 {
                close(words)
                sleep(1)
                _exit(0)
            }
        case .close: rings[index]?.close()
        case .sqpoll: replace(index, CBENCH_SETUP_SQPOLL)
        case .iopoll: replace(index, CBENCH_SETUP_IOPOLL)
        case .deferred: replace(index, CBENCH_SETUP_SINGLE_ISSUER | CBENCH_SETUP_DEFER_TASKRUN)
        case .wide: replace(index, CBENCH_SETUP_CQE32)
        }
        pump(2)
    }

    /// A ring of another kind in the place of what is there.
    private func replace(_ index: Int, _ flags: UInt32) {
        rings[index]?.close()
        rings[index] = RawRing(flags: flags)
    }

    func play(_ move: MemoryMove) {
        guard let index = move.number.among(Array(entries.indices)) else { return note(0, "none") }
        let entry = entries[index]
        note(entry.request.opcode, entry.state.rawValue)
        let isHeader = move.part == .header
        if isHeader ? !entry.memory.isHeaderMine : !entry.memory.isPayloadMine { return }
        // Of what begins inside a page, that page.
        let start = (isHeader ? entry.memory.header : entry.memory.payload) & ~UInt(EntryMemory.page - 1)
        let length = isHeader ? EntryMemory.page : max(entry.memory.payloadLength, 1)
        let memory = UnsafeMutableRawPointer(bitPattern: start)
        switch move.act {
        case .punch: madvise(memory, length, MADV_DONTNEED)
        case .replace: _ = EntryMemory.map(length, at: start)
        case .unmap, .readonly:
            if move.act == .unmap { munmap(memory, length) } else { mprotect(memory, length, PROT_READ) }
            if isHeader {
                entries[index].memory.isHeaderMine = false
            } else {
                entries[index].memory.isPayloadMine = false
            }
        }
    }

    func play(_ move: DeviceMove) {
        note(0, devices.isEmpty ? "closed" : "open")
        switch move.act {
        case .read:
            if let request = readDevice(within: 20) {
                note(request.opcode, "device")
                deviceRequests.append(request)
            }
        case .clone:
            guard device >= 0 else { return }
            let clone = open("/dev/fuse", O_RDWR | O_NONBLOCK | O_CLOEXEC)
            var source = UInt32(bitPattern: device)
            clinux_ioctl(clone, CFUSE_DEV_IOC_CLONE, &source)
            devices.append(clone)
        case .garbage: writeDevice(random.bytes(16 + random.below(200)))
        case .empty: writeDevice([])
        case .poll:
            var entry = pollfd(fd: device, events: Int16(POLLIN | POLLOUT), revents: 0)
            poll(&entry, 1, 0)
        case .back:
            var map = cfuse_backing_map(fd: open("/proc/self/exe", O_RDONLY | O_CLOEXEC), flags: 0, padding: 0)
            clinux_ioctl(device, CFUSE_DEV_IOC_BACKING_OPEN, &map)
        case .close:
            for device in devices { Glibc.close(device) }
            devices = []
        }
    }

    func play(_ move: NotifyMove) {
        note(0, devices.isEmpty ? "closed" : "open")
        let node: UInt64 = move.lie == .node ? 0xdead_beef : 2
        let name: UInt32 =
            move.lie == .name ? 4000 : 1
        let offset: UInt64 = move.lie == .offset ? .max - 100 : 0
        var body = WireBytes()
        switch move.kind {
        case .invalidateInode: body.put(node, offset, 0)
        case .invalidateEntry:
            body.put(move.lie == .node ? node : 1)
            body.put32(name, 0)
            body.put("f\0".utf8)
        case .store:
            body.put(node, offset)
            body.put32(4096, 0)
            body.fill(to: 24 + 4096)
        case .retrieve:
            body.put(1, node, offset)
            body.put32(4096, 0)
        case .delete:
            body.put(1, node)
            body.put32(name, 0)
            body.put("f\0".utf8)
        case .poll: body.put(node)
        case .resend, .epoch, .unknown: break
        case .prune:
            body.put32(move.lie == .name ? 60_000 : 1, 0)
            body.put(0, node)
        }
        var bytes = body.bytes
        if move.lie == .short { bytes.removeLast(min(bytes.count, 9)) }
        if move.lie == .long { bytes += [UInt8](repeating: 1, count: 4096) }
        writeDevice(message(unique: 0, error: code(move.kind), bytes))
    }

    /// `enum fuse_notify_code`
    private func code(_ kind: NotifyMove.Kind) -> Int32 {
        switch kind {
        case .poll: 1
        case .invalidateInode: 2
        case .invalidateEntry: 3
        case .store: 4
        case .retrieve: 5
        case .delete: 6
        case .resend: 7
        case .epoch: 8
        case .prune: 9
        case .unknown: 77
        }
    }
}
