import BenchCore
import Glibc
import LinuxSystem
import SystemPackage

/// A filesystem on a loop device whose power can be cut: the filesystem's own shutdown ioctl stops it without writing
/// its log, and the next mount shows what had really reached the disk.
final class PowerCutImage {
    enum Kind: String, CaseIterable {
        case ext4, xfs
    }

    let kind: Kind
    let file: FilePath
    let mountPoint: FilePath

    /// Makes and mounts one.
    static func make(_ kind: Kind, bench: Workbench) -> Result<PowerCutImage, ScenarioObstacle> {
        do {
            return .success(try PowerCutImage(kind, bench: bench))
        } catch let error as ScenarioObstacle {
            return .failure(error)
        } catch {
            return .failure(ScenarioObstacle("\(error)"))
        }
    }

    private init(_ kind: Kind, bench: Workbench) throws {
        self.kind = kind
        file = bench.folder.appending("\(kind.rawValue).image")
        mountPoint = try bench.makeFolder("\(kind.rawValue)-image")
        let descriptor = try FileDescriptor.open(
            file, .writeOnly, options: [.create, .closeOnExec], permissions: FilePermissions(rawValue: 0o600))
        // XFS takes 300 MiB at the least, and some daemons leave the last 4 GiB alone; the file is sparse.
        defer { try? descriptor.close() }
        guard ftruncate(descriptor.rawValue, 6 << 30) == 0 else { throw ScenarioObstacle("no room for an image") }
        let options = kind == .ext4 ? ["-q", "-F", "-m", "0"] : ["-q", "-f"]
        guard let make = try? bench.spawn(["mkfs.\(kind.rawValue)"] + options + [file.string]) else {
            let package = kind == .ext4 ? "e2fsprogs" : "xfsprogs"
            throw ScenarioObstacle("there is no mkfs.\(kind.rawValue): apt install \(package)")
        }
        guard make.wait(.seconds(60))?.isSuccess == true else { throw ScenarioObstacle("mkfs.\(kind.rawValue) failed") }
        bench.ledger.record(.loop(file.string))
        guard mount(bench) else { throw ScenarioObstacle("a loop device cannot be had or mounted") }
    }

    private func mount(_ bench: Workbench) -> Bool {
        let child = try? bench.spawn(["mount", "-t", kind.rawValue, "-o", "loop", file.string, mountPoint.string])
        return child?.wait(.seconds(60))?.isSuccess == true
    }

    /// Shuts the filesystem down without a log flush, and mounts it again.
    ///
    /// - Returns: what went wrong; nil if the disk's state can now be read.
    func cutPower(bench: Workbench) -> String? {
        // EXT4_IOC_SHUTDOWN and XFS_IOC_GOINGDOWN are the same number, and 2 means without a log flush to both.
        if let error = IsolatedCall.ioctl(mountPoint.string, request: 0x8004_587D, value: 2).run() {
            return "the shutdown ioctl failed: \(error.name)"
        }
        var error: Errno?
        let unmounted = Deadline(after: .seconds(10)).wait(upTo: .milliseconds(50)) {
            error = IsolatedCall.unmount(mountPoint).run()
            return error == nil
        }
        if !unmounted { return "the filesystem of the source does not unmount: \(error?.name ?? "?")" }
        return mount(bench) ? nil : "the filesystem of the source does not mount after the power cut"
    }
}
