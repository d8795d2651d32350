import Testing

@testable import RingFuzzSuite

/// What is left of a script is what it takes.
@Suite struct ScriptShrinkerTests {
    private let script: Script

    init() throws {
        script = try Script(
            """
            seed 5
            init size=small flags=offered
            register depth=4
            client does=readdir
            pause
            serve count=8
            client does=getxattr count=16
            notify kind=store
            commit payload=over way=linked body=noise
            world act=abort
            """)
    }

    /// Breaks by an overlong commit to a GETXATTR where payloads are small.
    private func breaks(_ script: Script) -> Bool {
        var needed = ["init size=small", "client does=getxattr", "commit payload=over"][...]
        for move in script.moves where needed.first.map({ move.peculiarities.contains($0) }) == true {
            needed.removeFirst()
        }
        return needed.isEmpty
    }

    @Test func whatDoesNotMatterGoes() throws {
        var rows = 0
        let least = try ScriptShrinker { candidates in
            rows += 1
            return candidates.firstIndex(where: breaks)
        }.shrink(script)
        #expect(least.moves.map(\.text) == ["init size=small", "client does=getxattr", "commit payload=over"])
        #expect(least.seed == 5)
        // Each row but the last costs a kernel.
        #expect(rows <= 12)
    }

    @Test func whatCannotBeLessStays() throws {
        #expect(try ScriptShrinker { _ in nil }.shrink(script) == script)
    }

    @Test func nothingIsTriedTwiceOrWithoutAMove() {
        let candidates = ScriptShrinker.candidates(script)
        #expect(Set(candidates).count == candidates.count)
        #expect(!candidates.contains { $0.moves.isEmpty || $0 == script })
    }
}
