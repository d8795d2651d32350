import BenchCore
import CBench
import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// One script, played once on this machine: a mount of its own, the player, its clients, what others do, and the end
/// of all of them.
///
/// The process that runs it has no other threads, since it forks, and never touches the mount itself.
final class CasePlay {
    private let script: Script
    private let mountPoint: String
    private let secondMount: String
    private let clock: Limits
    /// The daemon serves on after its script, until its clients have ended: nothing is as slow as to be taken for harm.
    private let servesOn: Bool
    /// What was met, a line of opcode, state and move each.
    private(set) var met: Set<String> = []
    /// Errnos with which clients ended by themselves.
    private(set) var clientResults: [Int32] = []
    private(set) var alarms: [Alarm] = []
    private var clients: [pid_t] = []
    private var connection: FuseConnection?

    /// How long is waited for what.
    struct Limits: Sendable {
        /// For the player to come to its end.
        var play: Duration = .seconds(5)
        /// For a good daemon's client to have its answers.
        static let good = Limits(play: .seconds(30))
        /// For the killed to be gone, before the connection is aborted: a daemon may wait for its own answer.
        var kill: Duration = .seconds(3)
        /// For everything to be gone after that.
        var abort: Duration = .seconds(20)
    }

    init(_ script: Script, folder: String, limits: Limits = Limits(), servesOn: Bool = false) {
        (self.script, clock, self.servesOn) = (script, limits, servesOn)
        (mountPoint, secondMount) = (folder + "/mount", folder + "/second")
    }

    /// Plays it and takes everything away again.
    func run() throws(Errno) {
        mkdir(mountPoint, 0o755)
        mkdir(secondMount, 0o755)
        var pipe: [CInt] = [-1, -1]
        _ = try Errno.check { clinux_pipe2(&pipe, O_CLOEXEC) }
        let log = KernelLog()
        let player = try Errno.check { cbench_fork() }
        if player == 0 {
            close(pipe[0])
            let player = Player(script, mountPoint: mountPoint, words: pipe[1])
            player.run()
            while servesOn { player.serve() }
            _exit(0)
        }
        close(pipe[1])
        listen(pipe[0])
        close(pipe[0])
        end(player)
        if let log { judge(log) }
        rmdir(mountPoint)
        rmdir(secondMount)
    }

    private var text = ""

    /// Does what the player asks for until it has nothing more to say, or its time is over.
    private func listen(_ words: CInt) {
        let deadline = Deadline(after: clock.play)
        var buffer = [UInt8](repeating: 0, count: 4096)
        while !deadline.hasPassed {
            var entry = pollfd(fd: words, events: Int16(POLLIN), revents: 0)
            if poll(&entry, 1, servesOn ? 20 : deadline.millisecondsLeft) <= 0 {
                _ = collect()
                if servesOn && !clientResults.isEmpty && clients.isEmpty { return }
                continue
            }
            let count = read(words, &buffer, buffer.count)
            // Its end is closed with the player.
            if count <= 0 { return }
            text += String(decoding: buffer[..<count], as: UTF8.self)
            while let end = text.firstIndex(of: "\n") {
                take(text[..<end])
                text.removeSubrange(...end)
            }
        }
    }

    private func take(_ line: Substring) {
        if line.hasPrefix("met ") {
            met.insert(String(line.dropFirst("met ".count)))
            return
        }
        let words = line.split(separator: " ")
        switch words.first {
        case "mounted": connection = (try? MountTable.top(at: mountPoint)).flatMap { FuseConnection($0.minor) }
        case "client":
            guard words.count == 3, let operation = ClientMove.Operation(word: String(words[1])),
                let count = Int(words[2])
            else { return }
            for _ in 0..<count { start { FuzzClient.run(operation, self.mountPoint) } }
        case "world": if words.count == 2 { make(WorldMove.Act(word: String(words[1]))) }
        default: break
        }
    }

    private func start(_ body: () -> Never) {
        let child = cbench_fork()
        if child == 0 { body() }
        if child > 0 { clients.append(child) }
    }

    /// In a process of its own: any of it may be long in coming back.
    private func make(_ act: WorldMove.Act?) {
        let (mountPoint, secondMount) = (mountPoint, secondMount)
        switch act {
        case .killClients: for client in clients { kill(client, SIGKILL) }
        case .stopClients: for client in clients { kill(client, SIGSTOP) }
        case .abort: connection?.abort()
        case .unmount, .lazyUnmount, .forceUnmount:
            let flags: CInt = act == .lazyUnmount ? 2 : act == .forceUnmount ? 1 : 0
            start { _exit(umount2(mountPoint, flags) == 0 ? 0 : 1) }
        case .bind: start { _exit(mount(mountPoint, secondMount, nil, 4096, nil) == 0 ? 0 : 1) }
        case .dropCaches:
            start {
                let file = open("/proc/sys/vm/drop_caches", O_WRONLY)
                _exit(write(file, "3", 1) == 1 ? 0 : 1)
            }
        case .killDaemon, nil: break
        }
    }

    // MARK: - The end

    private func end(_ player: pid_t) {
        // Clients that have their answers end by themselves; others do not.
        let left = reap(player, within: .milliseconds(20))
        for process in left { kill(process, SIGKILL) }
        if !reap(player, within: clock.kill).isEmpty { connection?.abort() }
        let late = reap(player, within: clock.abort)
        if !late.isEmpty {
            let stacks = late.map { "\($0): \(CasePlay.stack($0))" }.joined(separator: "\n")
            alarms.append(
                Alarm(
                    .killable, "\(late.count) killed processes are there still, \(CasePlay.stack(late[0], lines: 3))",
                    evidence: stacks))
        }
        for path in [secondMount, mountPoint] {
            // Several may lie one over the other; EINVAL says that none is left.
            for _ in 0..<8 where umount2(path, 2) != 0 { break }
        }
        guard let connection else { return }
        if !Deadline(after: clock.abort).wait(for: { !connection.exists }) {
            alarms.append(Alarm(.connection, "the connection is there still", evidence: connection.text))
        }
    }

    /// Waits for all children, those of the player included.
    ///
    /// - Returns: those that have not ended; the player's own children are not named.
    private func reap(_ player: pid_t, within duration: Duration) -> [pid_t] {
        let deadline = Deadline(after: duration)
        while !collect() {
            if deadline.hasPassed {
                return (clients + [player]).filter { access("/proc/\($0)", F_OK) == 0 }
            }
            usleep(2000)
        }
        return []
    }

    /// Takes note of the children that have ended.
    ///
    /// - Returns: true if none is left.
    private func collect() -> Bool {
        while true {
            var status: CInt = 0
            let process = waitpid(-1, &status, WNOHANG)
            if process < 0 && errno == ECHILD { return true }
            if process <= 0 { return false }
            guard let index = clients.firstIndex(of: process) else { continue }
            clients.remove(at: index)
            let code = cbench_exit_code(status)
            if code >= 0 { clientResults.append(code) }
        }
    }

    private static func stack(_ process: pid_t, lines: Int = 40) -> String {
        let text = contents(of: "/proc/\(process)/stack") ?? ""
        let functions = text.split(separator: "\n").prefix(lines).map { $0.drop { $0 != " " }.dropFirst() }
        return functions.isEmpty ? "no stack" : functions.joined(separator: " < ")
    }

    private func judge(_ log: KernelLog) {
        // That the kernel names our lie is what it should do.
        let records = log.alarms.filter { !$0.message.contains("unique mismatch") }
        if let first = records.first {
            alarms.append(Alarm(.kernelLog, first.message, evidence: log.text))
        } else if log.addedTaint != 0 {
            alarms.append(Alarm(.kernelLog, "the kernel's taint has got \(log.addedTaint)", evidence: log.text))
        }
    }
}
