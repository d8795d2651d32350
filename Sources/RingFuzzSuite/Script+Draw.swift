import LinuxSystem

/// Scripts out of a seed: the same moves for the same seed on every machine.
extension Script {
    /// Draws a script.
    ///
    /// Most begin as a daemon begins that means to serve, or nothing of it would ever be met in its later states.
    public init(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var moves: [Move] = []
        // Of some scripts nearly nothing is a lie, so that what they do reaches far; of others much is.
        let rarity = [3, 6, 12, 24][random.below(4)]
        if random.below(16) != 0 {
            var start = InitMove.drawn(&random, rarity: rarity)
            // Each is legal, and each leaves other requests without room: small ones most of them.
            start.size = random.below(2) == 0 ? .small : .drawn(&random)
            moves.append(.initialize(start))
            if random.below(16) == 0 { moves.append(.pool(.drawn(&random, rarity: rarity))) }
            if random.below(16) != 0 { moves.append(.register(.drawn(&random, rarity: rarity))) }
            moves.append(.client(.drawn(&random)))
        }
        for _ in 0..<4 + random.below(13) { moves.append(.drawn(&random, rarity: rarity)) }
        self.init(seed: seed, moves: moves)
    }

    /// The seed of one of a run's scripts.
    public static func seed(_ number: Int, of run: UInt64) -> UInt64 {
        // Nine digits: to be typed again.
        SplitMix64.mix(run &+ UInt64(number) &* 0x9E37_79B9_7F4A_7C15) % 999_999_999 + 1
    }
}

extension Move {
    /// What is done how often, in all 52.
    private static let weights: [(Int, @Sendable (inout SplitMix64, Int) -> Move)] = [
        (14, { random, _ in .client(.drawn(&random)) }),
        (6, { random, rarity in .commit(.drawn(&random, rarity: rarity)) }),
        (10, { random, _ in .commit(.drawnWithOneLie(&random)) }),
        (6, { random, _ in .serve(.drawn(&random, rarity: 2)) }),
        (3, { random, _ in .notify(.drawn(&random, rarity: 2)) }),
        (2, { random, rarity in .register(.drawn(&random, rarity: rarity)) }),
        (2, { random, _ in .ring(.drawn(&random, rarity: 1)) }),
        (2, { random, _ in .memory(.drawn(&random, rarity: 1)) }),
        (2, { random, _ in .device(.drawn(&random, rarity: 1)) }),
        (2, { random, _ in .world(.drawn(&random, rarity: 1)) }),
        (1, { random, rarity in .pool(.drawn(&random, rarity: rarity)) }),
        (1, { random, rarity in .initialize(.drawn(&random, rarity: rarity)) }),
        (1, { random, _ in .pause(.drawn(&random, rarity: 2)) }),
    ]

    private static let deal = weights.flatMap { weight, draw in Array(repeating: draw, count: weight) }

    static func drawn(_ random: inout SplitMix64, rarity: Int) -> Move {
        deal[random.below(deal.count)](&random, rarity)
    }
}

extension CommitMove {
    /// Of several lies the first that the kernel sees hides the others. Every other one is about a length: what is copied where
    /// hangs on them, and on most others only whether anything is.
    fileprivate static func drawnWithOneLie(_ random: inout SplitMix64) -> CommitMove {
        var move = CommitMove()
        let isOfLength = random.below(2) == 0
        let fields = isOfLength ? fields.filter { ["payload", "length"].contains($0.name) } : fields
        fields[random.below(fields.count)].draw(&move, &random)
        return move
    }
}

extension ClientMove {
    /// None is a lie. Extended attributes come more often: nothing is larger than their requests and replies, whatever was
    /// agreed on.
    private static let operations = Operation.allCases + [.setxattr, .getxattr, .getxattr, .listxattr]

    fileprivate static func drawn(_ random: inout SplitMix64) -> ClientMove {
        var move = ClientMove()
        move.operation = operations[random.below(operations.count)]
        if random.below(4) == 0 { move.count = .drawn(&random) }
        return move
    }
}
