import BenchCore
import Glibc

/// What several scenarios do, each with other values.
extension Cycle {
    /// Mounts, and ends the connection under load, at a moment that the seed chooses.
    func endUnderLoad(
        by method: StopMethod, _ load: LoadKind? = nil, perCPU: Int = 2, pause milliseconds: Int? = nil,
        exit: Expectation.Exit
    ) throws {
        let daemon = try mount()
        try startLoad(load, perCPU: perCPU)
        pause(upTo: milliseconds)
        aboutToAct()
        daemon.begin(method)
        expect.exit = exit
    }

    /// Mounts over and over, and ends each mount in this way; the last one's end is left to the runner.
    func mountRepeatedly(
        until stage: MountedDaemon.Stage = .ready, endedBy method: StopMethod, after work: () throws -> Void
    ) throws {
        let rounds = settings.isQuick ? 2 : 5
        for round in 1...rounds {
            let daemon = try mount(until: stage)
            try work()
            if round == rounds {
                return act(method, on: daemon)
            }
            let stop = daemon.stop(method, within: limit)
            if !stop.isComplete {
                hung = true
                return fail(.mountGone, "round \(round): not gone after \(method): \(stop)")
            }
        }
    }

    /// Load on a daemon with a fault that nobody but the daemon may notice; then an orderly end.
    func serveThrough(fault: String, perCPU: Int = 2) throws {
        expect.connectionEnds = false
        try mount(fault: fault)
        try startLoad(perCPU: perCPU)
        pause()
        expectProgress()
        stopLoad()
        checkTransport()
    }

    /// Mounts with a hindrance: either it works all the same, or the daemon ends with a failure and says why.
    func serveOrFail(fault: String? = nil, prefix: [String] = []) throws {
        do {
            try mount(fault: fault, prefix: prefix)
            expect.connectionEnds = false
            rememberResources()
            // With few descriptors left, opening files may fail with EMFILE: so nothing but names is worked on.
            if prefix.isEmpty {
                try startLoad(perCPU: 1)
                pause(upTo: 40)
                stopLoad()
                checkTransport(early: 4)
            }
            checkSpin()
        } catch DaemonError.exited(let status, let log) {
            // A runtime that cannot get what it needs to start may not even reach the daemon's own code.
            checkRefusal(status, log)
        } catch let error as DaemonError {
            hung = true
            fail(.exit, "\(error)")
        }
    }

    /// A daemon that mounted nothing must have ended by itself, with a failure's status, and have said why.
    ///
    /// - Parameter shortage: what it had too little of, in words. Runtimes that get no memory end by abort(3) or a trap, which is
    ///   well as long as they say why.
    func checkRefusal(_ status: ExitStatus, _ log: String, with shortage: String? = nil) {
        let daemon = shortage.map { "with \($0) the daemon" } ?? "the daemon"
        if status.isSuccess { fail(.exit, "\(daemon) mounted nothing and ended with success\(lastWords(log))") }
        let aborts = shortage != nil && !Cycle.tellsOfCorruption(log) ? [SIGABRT, SIGTRAP, SIGILL] : []
        if case .signalled(let signal, _) = status, !aborts.contains(signal) {
            fail(.exit, "\(daemon) ended with \(status)\(lastWords(log))")
        }
        if log.isEmpty { fail(.exit, "\(daemon) did not say why it ended") }
    }

    /// Whether the C library ended a process over its heap or its stack, which is no lack of memory.
    static func tellsOfCorruption(_ log: String) -> Bool {
        ["free(): ", "malloc(): ", "realloc(): ", "munmap_chunk(): ", "corrupted", "stack smashing"].contains {
            log.contains($0)
        }
    }

    /// A load that the daemon must get through with all that it holds still in place.
    func serveAndCount(_ load: LoadKind, perCPU: Int, meanwhile: () -> Void) throws {
        expect.connectionEnds = false
        try mount()
        rememberResources()
        try startLoad(load, perCPU: perCPU)
        meanwhile()
        expectProgress()
        stopLoad()
        checkTransport()
        checkResources {
            try startLoad(load, perCPU: perCPU)
            meanwhile()
        }
    }
}
