import Testing

@testable import StopPathSuite

@Suite("Stop path oracles")
struct StopPathOracleTests {
    @Test("A daemon whose last read met the end of its connection ended well; one with another complaint did not")
    func lostToTheEnd() {
        #expect(Cycle.lostToTheEnd("fuse: reading device: Software caused connection abort"))
        #expect(Cycle.lostToTheEnd("mounted | fuse: reading device: Software caused connection abort"))
        #expect(!Cycle.lostToTheEnd("fuse: reading device: Operation not permitted"))
        #expect(!Cycle.lostToTheEnd("fuse: reading device: Software caused connection abort | double free"))
        #expect(!Cycle.lostToTheEnd(""))
    }
}
