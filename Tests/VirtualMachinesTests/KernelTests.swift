import SystemPackage
import Testing

@testable import VirtualMachines

@Suite struct KernelTests {
    @Test func aSpecificationIsTakenForWhatIsThere() {
        let folders: [FilePath: Bool] = [
            "/k/bzImage": false, "/k/unpacked": true, "/k/linux": true, "/k/linux/arch/x86/boot": true,
        ]
        func parse(_ text: String) -> KernelSpecification? { KernelSpecification(text) { folders[$0] } }
        #expect(parse("deb:6.18") == .debian("6.18"))
        #expect(parse("deb:") == nil)
        #expect(parse("deb:latest") == nil)
        #expect(parse("/k/bzImage") == .image("/k/bzImage"))
        #expect(parse("/k/unpacked") == .folder("/k/unpacked"))
        #expect(parse("/k/linux") == .tree("/k/linux"))
        #expect(parse("/k/nothing") == nil)
    }

    @Test func kernelsAreKnownByTheirPackages() {
        let names: Set<String> = [
            "linux-image-6.18.15+deb13-cloud-amd64", "linux-image-6.18.9+deb13-cloud-amd64", "linux-image-cloud-amd64",
            "linux-image-6.18.15+deb13-amd64", "linux-image-7.3.4+deb13-cloud-amd64",
            "linux-binary-7.3.4+deb13-cloud-amd64",
            "linux-modules-7.3.4+deb13-cloud-amd64", "linux-image-7.1.3+deb13-cloud-amd64",
            "linux-binary-7.1.3+deb13-cloud-amd64", "linux-headers-6.18.15+deb13-cloud-amd64",
        ]
        let kernels = DebianKernel.among(names)
        // 7.1.3 lacks its modules; 9 comes before 15.
        #expect(
            kernels.map(\.release) == [
                "6.18.9+deb13-cloud-amd64", "6.18.15+deb13-cloud-amd64", "7.3.4+deb13-cloud-amd64",
            ])
        #expect(kernels[1].packages == ["linux-image-6.18.15+deb13-cloud-amd64"])
        #expect(
            kernels[2].packages == ["linux-binary-7.3.4+deb13-cloud-amd64", "linux-modules-7.3.4+deb13-cloud-amd64"])
    }

    @Test(arguments: [
        ("6", true), ("6.18", true), ("6.18.1", false), ("6.1", false), ("6.18.15", true), ("6.18.", false),
        ("18", false),
        ("6.18.15+deb13-cloud-amd64", true),
    ])
    func aVersionMayBeShortened(version: String, isOf: Bool) {
        #expect(DebianKernel(release: "6.18.15+deb13-cloud-amd64", packages: []).isOf(version) == isOf)
    }

    @Test func modulesComeAfterThoseThatTheyNeed() {
        let index = """
            kernel/drivers/virtio/virtio.ko.xz:
            kernel/drivers/virtio/virtio_ring.ko.xz: kernel/drivers/virtio/virtio.ko.xz
            kernel/drivers/block/virtio-blk.ko.xz: kernel/drivers/virtio/virtio_ring.ko.xz kernel/drivers/virtio/virtio.ko.xz
            kernel/fs/xfs/xfs.ko.xz:
            """
        let order = KernelModules.order(index, wanted: ["virtio_pci", "virtio_blk", "ext4"])
        #expect(order.map(KernelModules.name) == ["virtio", "virtio_ring", "virtio_blk"])
    }

    @Test func anArchiveHasAHeaderOfHexadecimalFields() throws {
        var archive = CPIOArchive()
        archive.add(file: "init", Array("hello".utf8), isProgram: true)
        let bytes = archive.finished()
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.hasPrefix("070701" + "00000001" + "000081ed"))
        #expect(bytes.count % 4 == 0)
        // 110 bytes of header, the name with its NUL, filled up to four.
        #expect(Array(bytes[110..<115]) == Array("init\0".utf8))
        #expect(Array(bytes[116..<121]) == Array("hello".utf8))
        #expect(text.contains("TRAILER!!!"))
    }

    @Test func theMirrorIsOneOfDebian() {
        let targets = """
            http://deb.example/debian-security/ bookworm-security bookworm-security
            http://nodejs.example/node_20.x/ nodistro nodistro
            http://mirror.example/debian/ bookworm-updates bookworm-updates
            http://mirror.example/debian/ bookworm bookworm
            """
        #expect(
            DebianMirror(targets: targets)
                == DebianMirror(address: "http://mirror.example/debian", codename: "bookworm"))
        #expect(DebianMirror(targets: "http://archive.example/ubuntu/ noble noble") == nil)
        // Before apt has lists, it knows no codename.
        #expect(DebianMirror(targets: "http://m.example/debian/ $(CODENAME) trixie")?.codename == "trixie")
    }
}
