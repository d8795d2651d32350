import Glibc
import LinuxSystem
import SystemPackage
import Testing

@testable import BenchCore
@testable import CorrectnessSuite

/// The parts of the correctness suite that need no mount.
@Suite struct CorrectnessTests {
    @Test func theListHasNamesAndReferences() {
        let names = CheckList.all.map(\.name)
        #expect(names.count >= 150)
        #expect(Set(names).count == names.count)
        #expect(CheckList.all.allSatisfy { !$0.reference.isEmpty && $0.deadline > 0 })
        #expect(Set(CheckList.all.map(\.area)).count >= 15)
    }

    @Test func unknownNamesAreTold() {
        var options = CorrectnessOptions()
        options.checks = ["rmdir-errors", "no-such-check", "differential-sequences"]
        #expect(options.unknownChecks == ["no-such-check"])
    }

    @Test func scriptsAreReadBack() throws {
        for seed: UInt64 in 1...20 {
            let operations = DifferentialRun.sequence(seed)
            let text = OperationScript.text(operations, comment: ["seed \(seed)"])
            #expect(try OperationScript.parse(text) == operations)
        }
        #expect(throws: CheckFailure.self) { try OperationScript.parse("create nowhere 644") }
        #expect(throws: CheckFailure.self) { try OperationScript.parse("dance a") }
    }

    @Test func everyKindIsDrawn() {
        let kinds = (1...10).flatMap { DifferentialRun.sequence($0) }.map(\.kind)
        #expect(Set(kinds) == Set(Operation.Kind.allCases))
    }

    @Test func concurrentScriptsAreReadBack() throws {
        let round = ConcurrentRun.Case(
            start: [ConcurrentOperation(.create, 0, tag: 0o11)],
            sequences: [
                [ConcurrentOperation(.rename, 0, 1)],
                [ConcurrentOperation(.mkdir, 1, tag: 2), ConcurrentOperation(.stat, 3)],
            ])
        #expect(try ConcurrentRun.parse(([ConcurrentRun.header] + round.lines).joined(separator: "\n")) == round)
        #expect(throws: CheckFailure.self) { try ConcurrentRun.parse("process 0 create n9 1") }
    }

    @Test func shrinkingKeepsWhatMatters() throws {
        let operations = DifferentialRun.sequence(3)
        let first = try #require(operations.firstIndex { $0.kind == .mkdir })
        let last = try #require(operations.lastIndex { $0.kind == .rename })
        var runs = 0
        let result = try Shrinker.shrink(operations) { candidate in
            runs += 1
            guard
                let one = candidate.firstIndex(where: { $0.kind == .mkdir && $0.subject == operations[first].subject })
            else { return false }
            return candidate[one...].contains(operations[last])
        }
        #expect(result.isReproducible)
        #expect(result.operations.count == 2)
        #expect(runs < 300)
        let never = try Shrinker.shrink(operations) { _ in false }
        #expect(!never.isReproducible && never.operations == operations)
    }

    /// Whether outcomes of two processes are allowed, from one file `n0`.
    private func allows(
        _ one: [(ConcurrentOperation, ConcurrentModel.Outcome)],
        _ other: [(ConcurrentOperation, ConcurrentModel.Outcome)],
        left: [Int: ConcurrentModel.Object]
    ) -> Bool {
        var start = ConcurrentModel()
        start.names[0] = .init(tag: 1, isDirectory: false)
        var final = ConcurrentModel()
        for (name, object) in left { final.names[name] = object }
        return AllowedOutcomes(
            sequences: [one.map(\.0), other.map(\.0)], outcomes: [one.map(\.1), other.map(\.1)], final: final
        ).contain(from: start)
    }

    @Test func outcomesThatSomeOrderExplains() {
        let file = ConcurrentModel.Object(tag: 1, isDirectory: false)
        let move = ConcurrentOperation(.rename, 0, 1)
        let remove = ConcurrentOperation(.unlink, 0)
        let fine = ConcurrentModel.Outcome()
        #expect(allows([(move, fine)], [(remove, .fails(.noSuchFileOrDirectory))], left: [1: file]))
        #expect(allows([(move, .fails(.noSuchFileOrDirectory))], [(remove, fine)], left: [:]))
        #expect(!allows([(move, fine)], [(remove, fine)], left: [:]), "both cannot have had it")
        #expect(!allows([(move, fine)], [(remove, .fails(.noSuchFileOrDirectory))], left: [:]), "it cannot be gone")
        #expect(!allows([(move, .fails(.notPermitted))], [(remove, fine)], left: [:]), "no order gives EPERM")
    }

    @Test func linkFindsFirstAndNamesLater() {
        let file = ConcurrentModel.Object(tag: 1, isDirectory: false)
        let fine = ConcurrentModel.Outcome()
        // The file is found, then moved, then what was in the way goes: the link is made all the same.
        #expect(
            allows(
                [(ConcurrentOperation(.link, 0, 2), fine)],
                [
                    (ConcurrentOperation(.rename, 0, 1), fine),
                    (ConcurrentOperation(.stat, 2), .fails(.noSuchFileOrDirectory)),
                ],
                left: [1: file, 2: file]))
    }

    @Test func blocksTellWhatHappenedToThem() {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: Block.size, alignment: 8)
        defer { memory.deallocate() }
        let block = Block(file: 3, index: 7, generation: 9, writer: 2, seed: 42)
        block.encode(into: memory)
        func content(seed: UInt64 = 42) -> Block.Content { Block.decode(UnsafeRawBufferPointer(memory), seed: seed) }
        #expect(content() == .block(file: 3, index: 7, generation: 9, writer: 2))
        #expect(content(seed: 43) == .foreign)
        for offset in [24, 33, 40, 2048, 4095] {
            block.encode(into: memory)
            memory[offset] ^= 1
            guard case .torn = content() else {
                Issue.record("a wrong byte at \(offset) is not seen")
                continue
            }
        }
        memory.initializeMemory(as: UInt8.self, repeating: 0)
        #expect(content() == .zeros)
    }

    @Test func generatorsRepeat() {
        var one = SplitMix64(seed: 5)
        var other = SplitMix64(seed: 5)
        #expect(one.bytes(100) == other.bytes(100))
        #expect((0..<1000).allSatisfy { _ in one.below(7) < 7 })
    }

    @Test func accessListsAreEncodedAsTheKernelReadsThem() {
        let list = AccessList(owner: 6, group: 4, other: 0, users: [1000: 7]).encoded
        // Version, then owner, user, group, mask and others, of 8 bytes each.
        #expect(list.count == 4 + 5 * 8)
        #expect(Array(list[12..<20]) == [2, 0, 7, 0, 0xe8, 3, 0, 0])
    }
}
