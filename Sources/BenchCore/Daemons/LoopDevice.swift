import LinuxSystem

/// Loop devices, as sysfs and losetup(8) show and change them.
enum LoopDevice {
    /// The file behind `/dev/loopN`, or nil if it is free.
    static func backingFile(_ device: String) -> String? {
        guard let name = device.split(separator: "/").last else { return nil }
        return contents(of: "/sys/block/\(name)/loop/backing_file").map {
            String($0.prefix(while: { $0 != "\n" }))
        }
    }

    /// All that are in use, with the file behind each.
    static func all() -> [(device: String, file: String)] {
        names(in: "/sys/block").filter { $0.hasPrefix("loop") }.compactMap { name in
            backingFile("/dev/\(name)").map { ("/dev/\(name)", $0) }
        }
    }

    static func detach(_ device: String) -> Bool {
        guard let child = try? ChildProcess.spawn(["losetup", "--detach", device]) else { return false }
        return child.wait(.seconds(10))?.isSuccess == true
            && Deadline(after: .seconds(2)).wait { backingFile(device) == nil }
    }
}
