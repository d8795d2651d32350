/// What a suite runs on: who serves the mount, and how it is started.
public struct Target: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        /// No daemon: the source folder itself, as a control.
        case directory
        /// This project's own daemon.
        case transport(TransportName)
        /// Any daemon, started by the bench and staying in the foreground. `{source}` and `{mountpoint}` are replaced.
        case command(String)
        /// Any daemon, started by `mount -t fuse.TYPE SOURCE MOUNTPOINT`.
        case mountHelper(String)
    }

    public var kind: Kind
    /// What reports call it.
    public var label: String
    /// Further arguments: of `fstestkit mount`, or `-o` options of a mount helper.
    public var options: [String]
    /// A command that the daemon's own is appended to (`prlimit --nofile=9`), and that then becomes the daemon.
    public var prefix: [String] = []
    /// A fault that this project's daemon shall have.
    public var fault: String?
    /// How the daemon ends when it is told to end and all is well. libfuse's examples exit 1 on SIGTERM.
    public var cleanExitStatuses: Set<Int32>

    public init(
        _ kind: Kind, label: String? = nil, options: [String] = [], fault: String? = nil,
        cleanExitStatuses: Set<Int32> = [0]
    ) {
        self.kind = kind
        self.options = options
        self.fault = fault
        self.cleanExitStatuses = cleanExitStatuses
        self.label =
            label
            ?? {
                switch kind {
                case .directory: "directory"
                case .transport(let name): name.rawValue
                case .command(let command):
                    Target.program(of: command)
                case .mountHelper(let type): "fuse.\(type)"
                }
            }()
    }

    /// The program that a command starts, by way of env(1) or not, as the command names it; nil for no command.
    package static func programWord(of command: String) -> String? {
        var words = words(command)[...]
        if words.first?.split(separator: "/").last == "env" {
            words = words.dropFirst().drop { $0.hasPrefix("-") || $0.contains("=") }
        }
        return words.first
    }

    private static func program(of command: String) -> String {
        programWord(of: command)?.split(separator: "/").last.map(String.init) ?? "daemon"
    }

    /// Whether the daemon is this project's, so that faults and `fstestkit stats` can be asked for.
    public var isOurs: Bool { transport != nil }

    /// Whether what is mounted is a directory that the bench sees, too. A daemon whose command does not name one has its files elsewhere,
    /// or nowhere.
    public var hasSource: Bool {
        if case .command(let command) = kind { command.contains("{source}") } else { true }
    }

    public var transport: TransportName? {
        if case .transport(let name) = kind { name } else { nil }
    }

    /// The command that mounts, as argument list; nil for a directory.
    ///
    /// - Parameter program: this project's program.
    public func command(program: String, source: String, mountPoint: String) -> [String]? {
        switch kind {
        case .directory:
            return nil
        case .transport(let name):
            var result = prefix + [program, "mount", "--foreground", "--transport", name.rawValue] + options
            if let fault { result += ["--fault", fault, "--allow-faults"] }
            return result + [source, mountPoint]
        case .command(let command):
            return prefix
                + Target.words(command).map { word in
                    word.replacing("{source}", with: source).replacing("{mountpoint}", with: mountPoint)
                } + options
        case .mountHelper(let type):
            let list = options.isEmpty ? [] : ["-o", options.joined(separator: ",")]
            return prefix + ["mount", "-t", "fuse.\(type)", source, mountPoint] + list
        }
    }

    /// Splits a command line at blanks; quotes and backslashes protect, as in a shell. Nothing is expanded.
    public static func words(_ line: String) -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        var escaped = false
        for character in line {
            if escaped {
                word = (word ?? "") + String(character)
                escaped = false
            } else if character == "\\" && quote != "'" {
                escaped = true
            } else if let open = quote {
                if character == open { quote = nil } else { word = (word ?? "") + String(character) }
            } else if character == "'" || character == "\"" {
                quote = character
                word = word ?? ""
            } else if character.isWhitespace {
                if let word { words.append(word) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        if let word { words.append(word) }
        return words
    }
}
