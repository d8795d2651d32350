import BenchCore
import Glibc
import SystemPackage
import Testing

@testable import HostileSourceSuite

/// The suite's eyes: each kind of change is seen, and nothing else.
@Suite struct HostileSourceSuiteTests {
    private static let content = [UInt8](repeating: 7, count: 8192)

    /// A folder that goes with the test.
    private func withFolder(_ body: (String) throws -> Void) throws {
        var template = Array("/tmp/fstestkit-hostile-XXXXXX".utf8CString)
        let path = String(cString: try #require(mkdtemp(&template)))
        defer {
            for name in ["secret", "a", "b"] { unlink("\(path)/\(name)") }
            rmdir(path)
        }
        try body(path)
    }

    private func secret(in folder: String) throws -> (Secret, path: String) {
        let path = folder + "/secret"
        let file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        try #require(file >= 0)
        return (try Secret(file, HostileSourceSuiteTests.content), path)
    }

    @Test func anUntouchedSecretIsUnchanged() throws {
        try withFolder { folder in
            let (secret, path) = try secret(in: folder)
            #expect(secret.change() == nil)
            // What moves a name is no change of the file.
            link(path, folder + "/a")
            rename(path, folder + "/b")
            unlink(folder + "/a")
            #expect(secret.change() == nil)
        }
    }

    private static let changes: [(name: String, change: @Sendable (String) -> Void)] = [
        (
            "write",
            { path in
                let file = open(path, O_WRONLY)
                pwrite(file, "x", 1, 4096)
                close(file)
            }
        ),
        ("truncate", { truncate($0, 100) }),
        ("mode", { chmod($0, 0o644) }),
        ("times", { utimes($0, [timeval(tv_sec: 1, tv_usec: 0), timeval(tv_sec: 1, tv_usec: 0)]) }),
    ]

    @Test(arguments: changes.indices) func aChangeIsSeen(_ index: Int) throws {
        try withFolder { folder in
            let (secret, path) = try secret(in: folder)
            HostileSourceSuiteTests.changes[index].change(path)
            #expect(secret.change() != nil, "\(HostileSourceSuiteTests.changes[index].name)")
        }
    }

    @Test func whatLiesOutsideIsCompared() throws {
        try withFolder { folder in
            close(creat(folder + "/a", 0o644))
            let before = OutsideSnapshot(folder)
            #expect(OutsideSnapshot(folder).differences(from: before).isEmpty)
            chmod(folder + "/a", 0o600)
            #expect(OutsideSnapshot(folder).differences(from: before).count == 1)
            close(creat(folder + "/b", 0o644))
            // The file and the directory that it was made in.
            #expect(OutsideSnapshot(folder).differences(from: before).count == 3)
        }
    }

    @Test func groupsThatAUserMayGiveItsFiles() {
        #expect(Actor.mayOwn(60001, 60001))
        #expect(Actor.mayOwn(60002, Actor.team))
        #expect(!Actor.mayOwn(60001, 0))
        #expect(!Actor.mayOwn(60001, 60002))
        #expect(!Actor.mayOwn(0, 60001))
    }

    @Test func secretsAreFullOfTheMark() {
        let arena = Arena(folder: "/", mark: "SECRET-1-2-3")
        let content = arena.secret(17)
        #expect(content.count == 8192)
        #expect(String(decoding: content.prefix(32), as: UTF8.self).hasPrefix("SECRET-1-2-3-17;SECRET-1-2-3-17;"))
    }

    @Test func aWorkerReadsItsOrder() throws {
        let order = HostileSourceWorker(
            role: .client(2), arena: Arena(folder: "/x y", mark: "m"), root: "/r", seed: 3, activity: "/a")
        let read = try #require(HostileSourceWorker(order.argument))
        #expect(read.argument == order.argument)
        #expect(HostileSourceWorker("{}") == nil)
    }
}
