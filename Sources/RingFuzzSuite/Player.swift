import CBench
import CLinux
import Glibc
import LinuxSystem

/// The daemon: it mounts, and then plays a script's moves, one after the other. It speaks the wire by itself and is
/// stopped by nothing that a move does, other than by its death. A process of its own, which has only this thread.
final class Player {
    let mountPoint: String
    let moves: [Move]
    /// To who started it: what shall be done beside it, and where it is. A line each.
    let words: CInt
    private let kernelLog: CInt
    var random: SplitMix64

    /// The original first, then its clones. The last one is used.
    var devices: [CInt] = []
    var rings: [RawRing?] = [nil, nil]
    var entries: [PlayedEntry] = []
    /// What was read from `/dev/fuse` and not answered.
    var deviceRequests: [WireRequest] = []
    /// Bytes that the kernel takes each payload to have, by the reply to INIT.
    var belief = 1 << 17
    /// Whether queues have a pool, and where it is.
    var pools: [Int: UInt] = [:]
    var lastIdentity: UInt64 = 0
    let queues: Int
    /// Whether a request may be on its way: what is not is not waited for.
    var isExpecting = false
    var isInitialized = false
    private var buffer = [UInt8](repeating: 0, count: (1 << 20) + 8192)
    private var label = "start"

    /// How long a move waits for a request that it needs.
    static let patience = Duration.milliseconds(250)
    /// In all, or the memory of a small machine is used up.
    static let mostEntries = 64

    /// An entry, as far as its daemon knows.
    struct PlayedEntry {
        /// Refused: its last command came back with an error. A request that it had may still be there.
        enum State: String { case ready, held, refused }

        var queue: Int
        var ring: Int
        var memory: EntryMemory
        var state = State.ready
        var request = WireRequest()
        var identity: UInt64 = 0
    }

    init(_ script: Script, mountPoint: String, words: CInt) {
        (self.mountPoint, moves, self.words) = (mountPoint, script.moves, words)
        random = SplitMix64(seed: script.seed)
        queues = (try? CPUSet.possible().count) ?? 1
        kernelLog = open("/dev/kmsg", O_WRONLY | O_CLOEXEC)
    }

    /// Plays all of it, and waits for what the last client may have asked.
    func run() {
        guard mount() else { return }
        tell("mounted")
        for (index, move) in moves.enumerated() {
            label = move.peculiarities.last ?? ""
            // On the console, before it is made: what a kernel that dies has said last.
            let line = "ring-fuzz: move \(index + 1): \(move.text)\n"
            write(kernelLog, line, line.utf8.count)
            make(move)
            pump(0)
        }
        _ = found(.held)
    }

    /// Answers a request, if one comes soon.
    func serve() {
        isExpecting = true
        play(ServeMove())
    }

    private func mount() -> Bool {
        let device = open("/dev/fuse", O_RDWR | O_NONBLOCK | O_CLOEXEC)
        guard device >= 0 else { return false }
        devices = [device]
        let options = "fd=\(device),rootmode=40000,user_id=0,group_id=0,allow_other"
        return Glibc.mount("ring-fuzz", mountPoint, "fuse.ring-fuzz", 0, options) == 0
    }

    private func make(_ move: Move) {
        switch move {
        case .initialize(let move): play(move)
        case .register(let move): play(move)
        case .serve(let move): play(move)
        case .commit(let move): play(move)
        case .device(let move): play(move)
        case .notify(let move): play(move)
        case .ring(let move): play(move)
        case .memory(let move): play(move)
        case .pool(let move): play(move)
        case .client(let move):
            tell("client \(move.operation.rawValue) \(move.count.number)")
            isExpecting = true
            note(0, "-")
        case .world(let move):
            note(0, "-")
            if move.act == .killDaemon { kill(getpid(), SIGKILL) }
            tell("world \(move.act.rawValue)")
            pump(5)
        case .pause(let move): pump(move.milliseconds.number)
        }
    }

    /// Says that this move has met a request of this opcode in this state.
    func note(_ opcode: UInt32, _ state: String) { tell("met \(Opcode.name(opcode))\t\(state)\t\(label)") }

    private func tell(_ line: String) {
        let line = line + "\n"
        write(words, line, line.utf8.count)
    }

    /// `/dev/fuse` as it is to be used; -1 if it was closed.
    var device: CInt { devices.last ?? -1 }

    /// Lets the kernel run what it has to do here, waits so many milliseconds for it, and takes what is complete.
    func pump(_ milliseconds: Int) {
        let open = rings.compactMap { $0 }.filter(\.isOpen)
        if open.isEmpty && milliseconds > 0 { usleep(UInt32(milliseconds) * 1000) }
        for ring in open { ring.enter(milliseconds / open.count) }
        for ring in open { while let completion = ring.pop() { take(completion.data, completion.result) } }
    }

    private func take(_ data: UInt64, _ result: Int32) {
        let index = Int(truncatingIfNeeded: data) - 1
        guard entries.indices.contains(index) else { return }
        if result < 0 { return entries[index].state = .refused }
        let memory = entries[index].memory
        let tail = memory.header(256, 32)
        entries[index].request = WireRequest(header: memory.header(0, 40), arguments: memory.header(128, 128))
        entries[index].identity = tail.number(at: 8)
        if let pool = pools[entries[index].queue] {
            entries[index].memory.payload = pool + UInt(tail.number(at: 20, as: UInt32.self))
        }
        entries[index].state = .held
    }

    /// Entries in this state, after waiting for one if need be.
    func found(_ state: PlayedEntry.State) -> [Int] {
        func all() -> [Int] { entries.indices.filter { entries[$0].state == state } }
        let deadline = Deadline(after: state == .held && isExpecting ? Player.patience : .zero)
        pump(0)
        while all().isEmpty && !entries.isEmpty && !deadline.hasPassed { pump(10) }
        if state == .held { isExpecting = !all().isEmpty }
        return all()
    }

    /// Reads a request from `/dev/fuse`, if there is one within the time.
    func readDevice(within milliseconds: Int) -> WireRequest? {
        guard device >= 0 else { return nil }
        var entry = pollfd(fd: device, events: Int16(POLLIN), revents: 0)
        if poll(&entry, 1, CInt(milliseconds)) <= 0 { return nil }
        let count = read(device, &buffer, buffer.count)
        guard count >= 40 else { return nil }
        return WireRequest(header: Array(buffer[..<40]), arguments: Array(buffer[40..<min(count, 4096)]))
    }

    /// Writes a message to `/dev/fuse`.
    func writeDevice(_ bytes: [UInt8]) { if device >= 0 { write(device, bytes, bytes.count) } }

    /// A ring, made if it is not there.
    func ring(_ which: RegisterMove.Ring) -> (index: Int, ring: RawRing)? {
        let index = which == .first ? 0 : 1
        if rings[index] == nil { rings[index] = RawRing() }
        return rings[index].map { (index, $0) }
    }

    /// The command area of an SQE: `fuse_uring_cmd_req`.
    func command(
        _ operation: UInt32, flags: UInt64 = 0, identity: UInt64 = 0, queue: Int, address: UInt = 0, length: UInt32 = 0
    ) -> cbench_sqe {
        var area = WireBytes()
        area.put(flags, identity)
        area.put16(UInt16(truncatingIfNeeded: queue))
        area.align()
        area.put(UInt64(address))
        area.put32(length, 0)
        var sqe = cbench_sqe()
        sqe.opcode = CBENCH_OP_URING_CMD
        sqe.descriptor = device
        sqe.command = operation
        withUnsafeMutableBytes(of: &sqe.area) { $0.copyBytes(from: area.bytes) }
        return sqe
    }
}
