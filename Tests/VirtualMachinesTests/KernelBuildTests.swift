import SystemPackage
import Testing

@testable import VirtualMachines

@Suite struct KernelBuildTests {
    @Test func aBuildIsNamedByItsSourceAndFragments() {
        let folders: Set<FilePath> = ["/k/linux", "/k/a+b"]
        func parse(_ text: String) -> KernelSpecification? {
            KernelSpecification(text) { folders.contains($0) ? true : nil }
        }
        #expect(parse("build:/k/linux") == .build(.tree("/k/linux"), []))
        #expect(parse("build:/k/linux+sanitizers+x.config") == .build(.tree("/k/linux"), ["sanitizers", "x.config"]))
        #expect(parse("build:/k/a+b+kcsan") == .build(.tree("/k/a+b"), ["kcsan"]))
        #expect(parse("build:deb:7.3+sanitizers") == .build(.debian("7.3"), ["sanitizers"]))
        #expect(parse("build:deb:") == nil)
        #expect(parse("build:/k/nothing") == nil)
    }

    @Test func linesThatAKernelDoesNotTakeAreNamed() {
        let fragment = KernelFragment.base
        let all = fragment.text.split(separator: "\n").filter { !$0.hasSuffix("=n") }.joined(separator: "\n")
        #expect(fragment.missing(in: all).isEmpty)
        #expect(fragment.missing(in: all.replacing("CONFIG_SMP=y\n", with: "")) == ["CONFIG_SMP=y"])
        #expect(fragment.missing(in: all + "\nCONFIG_VT=y") == ["CONFIG_VT=n"])
    }

    @Test func guestsGetWhatTheyNeed() {
        for name in ["VIRTIO_PCI", "VIRTIO_BLK", "EXT4_FS", "SERIAL_8250_CONSOLE", "BLK_DEV_INITRD", "DEVTMPFS"] {
            #expect(KernelFragment.base.text.contains("\nCONFIG_\(name)=y\n"))
        }
    }

    @Test func fragmentsAreKnownByNameOrFile() throws {
        #expect(try KernelFragment(named: "sanitizers").text.contains("CONFIG_KASAN=y"))
        #expect(throws: VirtualMachineError.noSuchFragment("sanitizer")) { try KernelFragment(named: "sanitizer") }
        #expect(throws: VirtualMachineError.self) { try KernelFragment(named: "/there/is/no.config") }
    }
}
