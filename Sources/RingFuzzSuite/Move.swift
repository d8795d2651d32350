import LinuxSystem

/// One thing that the daemon, a client or the world does, legal or not. In a script it is one line.
public enum Move: Hashable, Sendable {
    case initialize(InitMove)
    case register(RegisterMove)
    case serve(ServeMove)
    case commit(CommitMove)
    case client(ClientMove)
    case device(DeviceMove)
    case notify(NotifyMove)
    case ring(RingMove)
    case memory(MemoryMove)
    case pool(PoolMove)
    case world(WorldMove)
    case pause(PauseMove)

    private var shape: any MoveShape {
        switch self {
        case .initialize(let move): move
        case .register(let move): move
        case .serve(let move): move
        case .commit(let move): move
        case .client(let move): move
        case .device(let move): move
        case .notify(let move): move
        case .ring(let move): move
        case .memory(let move): move
        case .pool(let move): move
        case .world(let move): move
        case .pause(let move): move
        }
    }

    static let shapes: [any MoveShape.Type] = [
        InitMove.self, RegisterMove.self, ServeMove.self, CommitMove.self, ClientMove.self, DeviceMove.self,
        NotifyMove.self, RingMove.self, MemoryMove.self, PoolMove.self, WorldMove.self, PauseMove.self,
    ]

    /// Its line in a script.
    public var text: String { shape.text }

    /// Reads a line.
    ///
    /// - Throws: ``ScriptError``, without a line's number.
    public init(_ text: some StringProtocol) throws(ScriptError) {
        let words = String(text).split(separator: " ")
        guard let verb = words.first, let shape = Move.shapes.first(where: { $0.verb == verb }) else {
            let known = Move.shapes.map { $0.verb }.joined(separator: ", ")
            throw ScriptError(
                "there is no move '\(words.first ?? "")'; there are \(known)"
            )
        }
        self = try shape.init(words: words.dropFirst()).move
    }

    /// What it does other than the protocol has it, each as `verb field=value`; the verb alone if it is all as it
    /// should be.
    var peculiarities: [String] {
        let choices = shape.choices
        let verb = type(of: shape).verb
        return choices.isEmpty ? [verb] : choices.map { "\(verb) \($0)" }
    }

    /// The same without any lie. What a client does is none.
    var plain: Move {
        if case .client(var move) = self {
            move.count = ClientMove().count
            return .client(move)
        }
        return type(of: shape).init().move
    }

    /// The same with one lie less, for each of its lies.
    var plainer: [Move] { shape.plainer }
}
