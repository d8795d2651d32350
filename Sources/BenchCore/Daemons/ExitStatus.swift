import Glibc

/// How a process ended.
public enum ExitStatus: Sendable, Hashable, CustomStringConvertible {
    case exited(Int32)
    case signalled(Int32, coreDumped: Bool)
    /// It is gone, but was not this process's child to wait for.
    case unknown

    /// Decodes what waitpid(2) reports.
    package init(waitStatus status: Int32) {
        let signal = status & 0x7f
        self = signal == 0 ? .exited(status >> 8 & 0xff) : .signalled(signal, coreDumped: status & 0x80 != 0)
    }

    public var isSuccess: Bool { self == .exited(0) }

    public var description: String {
        switch self {
        case .exited(let code): "exit status \(code)"
        case .signalled(let signal, let core): "\(signalName(signal))\(core ? ", core dumped" : "")"
        case .unknown: "gone, status unknown"
        }
    }
}

/// `SIGKILL` for 9.
package func signalName(_ signal: Int32) -> String {
    let names: [Int32: String] = [
        SIGHUP: "HUP", SIGINT: "INT", SIGQUIT: "QUIT", SIGILL: "ILL", SIGTRAP: "TRAP", SIGABRT: "ABRT", SIGBUS: "BUS",
        SIGFPE: "FPE", SIGKILL: "KILL", SIGUSR1: "USR1", SIGSEGV: "SEGV", SIGUSR2: "USR2", SIGPIPE: "PIPE",
        SIGALRM: "ALRM", SIGTERM: "TERM", SIGCONT: "CONT", SIGSTOP: "STOP",
    ]
    return names[signal].map { "SIG\($0)" } ?? "signal \(signal)"
}
