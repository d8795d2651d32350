import CFUSE
import FUSEProtocol
import FUSEServer
import Glibc
import LinuxSystem
import Testing

@testable import LoopbackFS

/// What a kernel would never send must be an error: a daemon that traps takes the mount with it.
@Suite("Hostile requests")
struct HostileRequestTests {
    /// Numbers that arithmetic trips over.
    private static let edges: [UInt64] = [
        0, 1, 2, 4095, 4096, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 1 << 48, 1 << 63 - 1, 1 << 63, .max - 1, .max,
    ]
    /// FORGET would make most others meaningless; ioctl could leave files that nobody can remove.
    private static let opcodes: [Opcode] = [
        .lookup, .getattr, .setattr, .readlink, .symlink, .mknod, .mkdir, .unlink, .rmdir, .rename, .link, .open, .read,
        .write, .statfs, .release, .fsync, .setxattr, .getxattr, .listxattr, .removexattr, .flush, .opendir, .readdir,
        .releasedir, .fsyncdir, .getlk, .setlk, .setlkw, .create, .interrupt, .poll, .fallocate, .readdirplus, .rename2,
        .lseek, .copyFileRange, .tmpfile, .statx, .copyFileRange64, .batchForget,
    ]

    @Test(arguments: 1...4)
    func noneTraps(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let fixture = try Fixture { $0.descriptorBudget = 4 }
        for number in 0..<8 { fixture.write("f\(number)", "text") }
        mkdir(fixture.source + "/d", 0o755)
        let nodes = try ["f0", "f1", "f2", "d"].map { name in try fixture.lookup(name).nodeid } + [1]
        let handles = [try fixture.open(nodes[0], O_RDWR), try fixture.open(1, directory: true)]
        let names = ["f0", "f1", "new", "d", "", ".", "..", "a/b", "user.x", "system.posix_acl_access", "security.x"]
        for _ in 0..<3000 {
            let opcode = random.pick(HostileRequestTests.opcodes)
            var arguments: [UInt8] = []
            while arguments.count < opcode.layout?.argumentSize ?? 0 {
                let word = random.below(3) == 0 ? random.pick(handles + nodes) : random.pick(HostileRequestTests.edges)
                arguments += random.below(4) == 0 ? bytes(of: random.next()) : bytes(of: word)
            }
            arguments.removeLast(arguments.count - (opcode.layout?.argumentSize ?? 0))
            // Sizes that a transport checks before: an inline allocation must not fill the disk of whoever runs this.
            if opcode == .fallocate { arguments.replaceSubrange(16..<24, with: bytes(of: random.pick(nodes + [.max]))) }
            let node = random.below(10) == 0 ? random.pick(HostileRequestTests.edges) : random.pick(nodes)
            let count = random.below(8) == 0 ? 0 : opcode.layout?.names ?? 0
            _ = try fixture.ask(
                opcode, node, arguments, names: (0..<count).map { _ in random.pick(names) },
                data: Array(repeating: 7, count: random.below(64)), room: random.pick([128, 4096, 65536]))
        }
        // It still serves.
        fixture.write("last")
        #expect(try fixture.lookup("last").nodeid != 0)
    }
}

extension SplitMix64 {
    fileprivate mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }
}
