import Foundation
import Glibc
import SystemPackage

/// The machine's KVM.
struct Virtualization {
    private let record: FilePath

    init(_ cache: MachineCache) {
        record = cache.folder.appending("kvm-failed")
    }

    /// Whether it is worth trying: may be opened, and did not fail since the machine was started.
    var works: Bool {
        access("/dev/kvm", R_OK | W_OK) == 0
            && (try? String(contentsOfFile: record.string, encoding: .utf8)) != Self.boot
    }

    func recordFailure() throws(VirtualMachineError) { try writeFile(record, Self.boot) }

    private static var boot: String {
        (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? ""
    }
}
