import CFUSE
import CLinux
import FUSEProtocol
import Glibc
import SystemPackage
import Testing

@testable import LoopbackFS

/// Capabilities are dropped in the testing thread alone; what it is permitted it can take back.
@Suite("Credentials", .enabled(if: geteuid() == 0, "needs root"))
struct CredentialsTests {
    private static let ids: [LoopbackFS.Capability] = [.setgid, .setuid]

    private func create(_ fixture: Fixture, _ name: String, user: UInt32, group: UInt32) throws -> Fixture.Answer {
        let arguments = bytes(
            of: fuse_create_in(flags: UInt32(O_RDWR | O_CREAT), mode: 0o100644, umask: 0, open_flags: 0))
        return try fixture.ask(.create, 1, arguments, names: [name], user: user, group: group)
    }

    private func owner(_ fixture: Fixture, _ name: String) -> [UInt32]? {
        var status = stat()
        return lstat(fixture.source + "/" + name, &status) == 0 ? [status.st_uid, status.st_gid] : nil
    }

    private func without<Value>(_ capability: LoopbackFS.Capability, _ body: () throws -> Value) throws -> Value {
        #expect(clinux_set_effective_capability(capability.rawValue, 0) == 0)
        defer { #expect(clinux_set_effective_capability(capability.rawValue, 1) == 0) }
        return try body()
    }

    /// The thread's file-system ids and supplementary groups.
    private func present() -> Identity {
        var identity = Identity.ofProcess()
        identity.user = clinux_setfsuid(.max)
        identity.group = clinux_setfsgid(.max)
        return identity
    }

    @Test func filesAreCreatedAsTheCaller() throws {
        let fixture = try Fixture()
        _ = try create(fixture, "f", user: 1000, group: 1001)
        #expect(owner(fixture, "f") == [1000, 1001])
    }

    /// A daemon that has one of the two from its start.
    @Test(arguments: ids)
    func halfOfTheIDsIsAnError(missing: LoopbackFS.Capability) throws {
        try without(missing) {
            let fixture = try Fixture()
            #expect(try create(fixture, "f", user: 1000, group: 1000).errno == .notPermitted)
            #expect(owner(fixture, "f") == nil)
            let mkdir = bytes(of: fuse_mkdir_in(mode: 0o755, umask: 0))
            #expect(try fixture.ask(.mkdir, 1, mkdir, names: ["d"], user: 1000, group: 1000).errno == .notPermitted)
            #expect(owner(fixture, "d") == nil)
            #expect(try create(fixture, "own", user: 0, group: 0).errno == nil)
        }
    }

    /// One that loses it while it serves.
    @Test(arguments: ids)
    func idsThatCannotBeSwitchedAreRead(missing: LoopbackFS.Capability) throws {
        let fixture = try Fixture()
        let before = present()
        let answer = try without(missing) { try create(fixture, "f", user: 1000, group: 1000) }
        #expect(answer.errno == .notPermitted)
        #expect(owner(fixture, "f") == nil)
        #expect(present().user == before.user && present().group == before.group)
    }

    @Test func theDaemonsOwnIDsComeBack() throws {
        let groups = present().groups
        defer { _ = groups.withUnsafeBufferPointer { clinux_setgroups($0.count, $0.baseAddress) } }
        let own: [UInt32] = [7, 42]
        #expect(own.withUnsafeBufferPointer { clinux_setgroups($0.count, $0.baseAddress) } == 0)
        let fixture = try Fixture()
        #expect(try create(fixture, "f", user: 1000, group: 1000).errno == nil)
        #expect(try create(fixture, "f", user: 1000, group: 1000).errno != nil)
        #expect(present().user == 0 && present().group == getegid() && present().groups == own)
    }

    @Test func withoutBothTheDaemonCreatesAsItself() throws {
        try without(.setuid) {
            try without(.setgid) {
                let fixture = try Fixture()
                #expect(try create(fixture, "f", user: 1000, group: 1000).errno == nil)
                #expect(owner(fixture, "f") == [0, getegid()])
            }
        }
    }

    @Test func namesOfTrustedAttributesAreForTheTrusted() throws {
        let fixture = try Fixture()
        fixture.write("f")
        let path = fixture.source + "/f"
        guard setxattr(path, "trusted.a", "1", 1, 0) == 0, setxattr(path, "user.b", "1", 1, 0) == 0 else { return }
        let node = try fixture.lookup("f").nodeid
        func list(_ size: UInt32) throws -> Fixture.Answer {
            try fixture.ask(.listxattr, node, bytes(of: fuse_getxattr_in(size: size, padding: 0)))
        }
        let all = Array("trusted.a\0user.b\0".utf8)
        let visible = Array("user.b\0".utf8)
        #expect(try list(1000).bytes?.count == all.count)
        #expect(try list(0).decode(fuse_getxattr_out.self)?.size == UInt32(all.count))
        // Nothing is known of a process in another pid namespace.
        let nobody = try fixture.ask(
            .listxattr, node, bytes(of: fuse_getxattr_in(size: UInt32(visible.count), padding: 0)), process: 0)
        #expect(nobody.bytes == visible)
        let length = try fixture.ask(.listxattr, node, bytes(of: fuse_getxattr_in(size: 0, padding: 0)), process: 0)
        #expect(length.decode(fuse_getxattr_out.self)?.size == UInt32(visible.count))
    }

    @Test func createdBehindIsLookedUpAgain() throws {
        let fixture = try Fixture()
        fixture.write("f", "secret")
        #expect(try create(fixture, "f", user: 1000, group: 1000).errno == .staleNFSFileHandle)
    }
}
