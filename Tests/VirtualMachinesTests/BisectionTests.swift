import Foundation
import SystemPackage
import Testing

@testable import VirtualMachines

@Suite struct BisectionTests {
    /// Ten commits, `number` in a file; on a branch that is checked out, with a change that nobody has committed.
    private func repository() throws -> FilePath {
        let folder = FilePath(NSTemporaryDirectory()).appending("bisection-\(UUID().uuidString)")
        try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
        let script = """
            set -e; cd "$0"; git init -q .
            for number in 1 2 3 4 5 6 7 8 9 10; do
                echo $number >number; git add number
                git -c user.name=n -c user.email=e commit -q -m "number $number"
            done
            echo mine >number
            """
        try HostProgram.run(["sh", "-c", script, folder.string], package: "git")
        return folder
    }

    private func number(in folder: FilePath) throws -> Int {
        let text = try String(contentsOfFile: folder.appending("number").string, encoding: .utf8)
        return Int(text.trimmingCharacters(in: .whitespacesAndNewlines))!
    }

    private func search(
        _ verdict: @escaping (Int) -> Bisection.Verdict
    ) throws -> (end: Result<Bisection.End, any Error>, tried: [Int]) {
        let repository = try repository()
        defer { try? FileManager.default.removeItem(atPath: repository.string) }
        let tree = repository.appending("tree")
        let bisection = try Bisection(repository: repository, workTree: tree, good: "HEAD~9", bad: "HEAD")
        var tried: [Int] = []
        let end = Result {
            try bisection.run(say: { _ in }) { _ in
                tried.append(try number(in: bisection.folder))
                return verdict(tried.last!)
            }
        }
        bisection.remove()
        #expect(!FileManager.default.fileExists(atPath: tree.string))
        let mine = try String(contentsOfFile: repository.appending("number").string, encoding: .utf8)
        #expect(mine == "mine\n", "somebody's work tree was touched")
        let left = try HostProgram.run(["git", "-C", repository.string, "worktree", "list"], package: "git")
        #expect(left.split(separator: "\n").count == 1)
        return (end, tried)
    }

    @Test(arguments: 2...10) func findsTheFirstBadCommit(first: Int) throws {
        let (end, tried) = try search { $0 >= first ? .bad : .good }
        guard case .found(let id, let subject) = try end.get() else {
            Issue.record("not found: \(end)")
            return
        }
        #expect(subject == "number \(first)")
        #expect(id.count == 40)
        #expect(tried.prefix(2) == [10, 1], "both ends come first")
        #expect(tried.count <= 7)
    }

    @Test func whatCannotBeToldIsGoneRound() throws {
        let (end, tried) = try search { $0 == 5 ? .skip : $0 >= 7 ? .bad : .good }
        guard case .found(_, "number 7") = try end.get() else {
            Issue.record("not found: \(end)")
            return
        }
        #expect(tried.contains(5))
    }

    @Test func commitsThatCannotBeToldApartAreNamed() throws {
        let (end, _) = try search { (6...7).contains($0) ? .skip : $0 >= 7 ? .bad : .good }
        guard case .oneOf(let commits) = try end.get() else {
            Issue.record("told apart: \(end)")
            return
        }
        #expect(commits.count == 3)
    }

    @Test func endsThatAreNotWhatTheyAreSaidToBeAreRefused() throws {
        for verdict in [Bisection.Verdict.good, .skip] {
            let (end, tried) = try search { _ in verdict }
            #expect(throws: VirtualMachineError.self) { try end.get() }
            #expect(tried == [10])
        }
        let (end, tried) = try search { _ in .bad }
        #expect(throws: VirtualMachineError.self) { try end.get() }
        #expect(tried == [10, 1])
    }
}
