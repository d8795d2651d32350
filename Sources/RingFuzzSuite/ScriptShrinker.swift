/// Makes a script shorter and plainer as long as it shows the same. A try costs little unless it shows it, which
/// costs a kernel: so all that could be tried next is tried in one row, and the first that shows it is gone on from.
public struct ScriptShrinker {
    /// The place of the first of these scripts that shows it; nil if none does.
    private let firstShowing: ([Script]) throws -> Int?

    public init(firstShowing: @escaping ([Script]) throws -> Int?) { self.firstShowing = firstShowing }

    /// The least that shows it; the script itself if nothing less does.
    public func shrink(_ script: Script) throws -> Script {
        var current = script
        while true {
            let candidates = ScriptShrinker.candidates(current)
            guard let index = try firstShowing(candidates) else { return current }
            current = candidates[index]
        }
    }

    /// All that is less: what most often is all of it; with the lies of one move alone; without halves, quarters and so on
    /// to single moves, from the end; and with a single lie less.
    static func candidates(_ script: Script) -> [Script] {
        var result = guesses(script)
        for kept in script.moves.indices {
            var less = script
            for index in less.moves.indices where index != kept { less.moves[index] = less.moves[index].plain }
            result.append(less)
        }
        var size = script.moves.count / 2
        while size > 0 {
            var end = script.moves.count
            while end > 0 {
                var less = script
                less.moves.removeSubrange(max(0, end - size)..<end)
                if !less.moves.isEmpty { result.append(less) }
                end -= size
            }
            size /= 2
        }
        for (index, move) in script.moves.enumerated() {
            for plainer in move.plainer {
                var less = script
                less.moves[index] = plainer
                result.append(less)
            }
        }
        var seen: Set<Script> = []
        return result.filter { $0 != script && seen.insert($0).inserted }
    }

    /// A daemon's start, one client, and the last move, which did the harm: for each kind of client.
    private static func guesses(_ script: Script) -> [Script] {
        guard let last = script.moves.last else { return [] }
        let start = script.moves.prefix { move in
            switch move {
            case .initialize, .register: true
            default: false
            }
        }
        let clients = script.moves.filter { if case .client = $0 { true } else { false } }
        return clients.reversed().flatMap { client in
            [start.map(\.plain), Array(start)].map { start in
                Script(seed: script.seed, moves: start + [client] + (client == last ? [] : [last]))
            }
        }
        .filter { $0.moves.count < script.moves.count }
    }
}
