import Testing

@testable import RingFuzzSuite

@Suite struct CorpusTests {
    @Test func everyScriptIsOne() throws {
        let cases = try Corpus.cases()
        #expect(cases.count == Corpus.entries.count && !cases.isEmpty)
        #expect(Set(cases.map(\.name)).count == cases.count)
        for (current, entry) in zip(cases, Corpus.entries) {
            #expect(current.script.moves.map(\.text) == entry.moves)
            #expect(current.script.moves.count <= 6)
        }
    }
}
