import LinuxSystem
import Testing

@testable import RingFuzzSuite

/// Scripts are drawn, written and read alike everywhere.
@Suite struct ScriptTests {
    /// One with every value that is drawn of every field, over time.
    private static let drawn = (0..<400).map { Script(seed: Script.seed($0, of: 7)) }

    @Test func whatIsWrittenIsReadTheSame() throws {
        for script in ScriptTests.drawn { #expect(try Script(script.text) == script) }
    }

    @Test func everyKindOfMoveAndEveryFieldIsDrawn() {
        let met = ScriptTests.drawn.reduce(into: Set<String>()) { $0.formUnion($1.peculiarities) }
        for shape in Move.shapes { expectAllFields(of: shape, in: met) }
    }

    private func expectAllFields<Shape: MoveShape>(of shape: Shape.Type, in met: Set<String>) {
        for field in shape.fields {
            #expect(met.contains { $0.hasPrefix("\(shape.verb) \(field.name)=") }, "\(shape.verb) \(field.name)")
        }
    }

    /// Of one seed, as it was when it was written here: on any machine and by any later build of this version.
    @Test func aSeedGivesTheSameMovesEverywhere() {
        #expect(Script(seed: 42) == Script(seed: 42))
        #expect(Script(seed: 42) != Script(seed: 43))
        #expect(Script(seed: 42).text == ScriptTests.ofSeed42)
    }

    private static let ofSeed42 = """
        seed 42
        init flags=every size=small max_write=zero
        register memory=kernel
        client does=truncate
        commit
        commit payload=zero
        serve count=16
        client does=statfs
        client does=create
        pool
        pause
        device act=clone
        notify kind=store lie=long
        commit
        serve
        client does=setxattr
        register queue=last payload=zero
        serve

        """

    @Test func commentsAndBlanksAreForPeople() throws {
        let script = try Script("# found on 6.18\n\n seed 9 \ninit size=small # no room\n\tregister\r\n")
        #expect(script.seed == 9)
        #expect(script.moves.map(\.text) == ["init size=small", "register"])
    }

    @Test(arguments: [
        ("fly", 1, "there is no move 'fly'"), ("init\ncommit payload=much", 2, "payload=much"),
        ("init\n\ncommit weight=5", 3, "no field 'weight=5'"), ("seed x", 1, "names no seed"),
        ("client count=0", 1, "count=0"),
    ])
    func whatIsWrongIsNamedWithItsLine(_ text: String, _ line: Int, _ what: String) {
        let error = #expect(throws: ScriptError.self) { try Script(text) }
        #expect(error?.line == line)
        #expect(error?.what.contains(what) == true, "\(error?.what ?? "")")
    }

    @Test func aScriptWithoutAMoveIsNone() { #expect(throws: ScriptError.self) { try Script("seed 1\n") } }

    @Test func onlyWhatDiffersFromTheProtocolIsSaid() {
        var commit = CommitMove()
        #expect(commit.text == "commit")
        #expect(Move.commit(commit).peculiarities == ["commit"])
        #expect(Script(seed: 1, moves: [.commit(commit)]).peculiarities.isEmpty)
        (commit.payload, commit.way) = (.over, .linked)
        #expect(commit.text == "commit payload=over way=linked")
        #expect(Move.commit(commit).peculiarities == ["commit payload=over", "commit way=linked"])
    }
}
