/// Decides how a ring's thread waits for the next request of its clients. Used by that thread alone.
///
/// A client sends its next request microseconds after the last reply, and who wakes whom on which core is most of what a
/// request costs then: to wake a core that has gone to sleep takes longer than to serve a read, above all in a virtual machine.
/// Which way is best depends on the machine, on where its devices' interrupts come, on the requests, which may be long copies
/// that want a warm cache, and on who else needs the cores. So all are timed again and again, and the best one is kept.
///
/// Until that is known, small requests are waited for on the ring's own core. Large ones are mostly readahead and writeback, which
/// the client does not wait for: it copies at the same time, and on one core they would take turns.
struct WaitPolicy {
    enum Mode: Int {
        /// On the ring's own core, which the client leaves when its reply wakes it, or else shares.
        case pinned
        /// On a core that the scheduler chooses.
        case free
        /// As that, and the thread watches for a moment before it sleeps: it and the client stay awake, side by side.
        case polling
    }

    /// How long the thread watches, in nanoseconds. Longer than a client that only reads or writes takes to ask again, which is
    /// 10 to 15 µs where the reply has to wake it.
    static let limit: UInt64 = 20_000
    /// Requests of the thread that are timed together.
    static let sample = 32
    /// Samples that make a trial. Its median counts: a client's pauses make some samples longer.
    static var trial: Int { 5 }
    /// Trials of the usual way before another is tried: work that is soon over is not worth it.
    static let patience = 6
    /// Trials after which the ways that are not taken are tried again.
    static let term = 64

    /// Bytes of a large request.
    static let large = 32 << 10
    /// Large ones among as many as make a sample after which they are taken for the rule.
    static let fewLarge = 4

    private(set) var mode: Mode
    private let canBePinned: Bool
    private var isBulk = false
    /// Large requests in a row, as good as, and small ones since the last of them.
    private var largeCount = 0
    private var sinceLarge = 0
    /// Nanoseconds per request of the last trial of each way, by its number.
    private var costs = InlineArray<3, Double?>(repeating: nil)
    private var trials = 0
    private var patience = WaitPolicy.patience

    // The trial under way:
    private var samples = InlineArray<5, Double>(repeating: 0)
    private var sampleCount = 0
    private var requests = 0
    private var began: UInt64 = 0
    /// `total` when the sample began.
    private var totalBefore: UInt64 = 0

    /// - Parameter canBePinned: the thread has a core of its own.
    init(canBePinned: Bool) {
        self.canBePinned = canBePinned
        mode = canBePinned ? .pinned : .polling
    }

    /// What it is while backing I/O is under way.
    private var usual: Mode { canBePinned && !isBulk ? .pinned : .free }

    /// What it is before anything was timed. A thread without a core of its own is seldom on the client's, and would be woken.
    private var first: Mode { canBePinned ? usual : .polling }

    private mutating func restart(_ mode: Mode) {
        self.mode = mode
        costs = .init(repeating: nil)
        trials = 0
        patience = WaitPolicy.patience
        sampleCount = 0
        requests = 0
        began = 0
    }

    /// The request is a large one.
    mutating func requestIsLarge() {
        largeCount = sinceLarge > WaitPolicy.sample ? 1 : largeCount + 1
        sinceLarge = 0
        guard !isBulk && largeCount >= WaitPolicy.fewLarge else { return }
        isBulk = true
        restart(first)
    }

    /// A request was taken.
    ///
    /// - Parameter onlyClients: no backing I/O is under way. Otherwise what the thread waits for is the disk, however it waits, and
    ///   the disk's ups and downs would decide.
    /// - Returns: whether a sample ends with it (``sampleEnded(at:total:)``).
    mutating func requestTaken(onlyClients: Bool) -> Bool {
        sinceLarge += 1
        if isBulk && sinceLarge > WaitPolicy.sample {
            isBulk = false
            restart(first)
        }
        guard onlyClients else {
            if began != 0 || mode == .polling { restart(usual) }
            return false
        }
        requests += 1
        return began == 0 || requests == WaitPolicy.sample
    }

    /// Takes the time of the sample under way, if there is one, and begins the next.
    ///
    /// - Parameters:
    ///   - now: nanoseconds of a clock that never goes back.
    ///   - total: requests that all rings of the session have taken. A client may wander from one core to another, and so from
    ///     ring to ring, and then each ring sees but a part of what gets done.
    mutating func sampleEnded(at now: UInt64, total: UInt64) {
        if began != 0 { add(Double(now - began) / Double(total - totalBefore)) }
        began = now
        totalBefore = total
        requests = 0
    }

    /// Keeps the samples in order.
    private mutating func add(_ sample: Double) {
        var place = sampleCount
        while place > 0 && samples[place - 1] > sample {
            samples[place] = samples[place - 1]
            place -= 1
        }
        samples[place] = sample
        sampleCount += 1
        guard sampleCount == WaitPolicy.trial else { return }
        sampleCount = 0
        trialEnded(samples[WaitPolicy.trial / 2])
    }

    private mutating func trialEnded(_ cost: Double) {
        trials += 1
        if trials == WaitPolicy.term {
            trials = 0
            costs = .init(repeating: nil)
        }
        costs[mode.rawValue] = cost
        patience = max(0, patience - 1)
        if patience == 0 { mode = untried ?? best }
    }

    private var untried: Mode? {
        for number in usual.rawValue...Mode.polling.rawValue where costs[number] == nil {
            return Mode(rawValue: number)
        }
        return nil
    }

    /// Of ways that are all but equal the one that needs least.
    private var best: Mode {
        var best = usual
        func cost(_ mode: Mode) -> Double { costs[mode.rawValue]! }
        if cost(.free) < 0.95 * cost(best) { best = .free }
        if cost(.polling) < 0.9 * cost(best) { best = .polling }
        return best
    }
}
