import LinuxSystem
import SystemPackage

/// One FUSE connection of this machine, named by its number.
public struct FuseConnection: Sendable, Hashable, CustomStringConvertible {
    public let number: UInt32

    public init(_ number: UInt32) {
        self.number = number
    }

    public var exists: Bool { contents(of: "\(FuseControl.root)/\(number)/waiting") != nil }

    /// Requests that wait for the daemon or are in its hands; nil once the connection is gone.
    public var waiting: Int? {
        contents(of: "\(FuseControl.root)/\(number)/waiting").flatMap { Int($0.filter(\.isNumber)) }
    }

    /// Ends the connection: every waiting request fails with ECONNABORTED and the daemon sees ENODEV.
    ///
    /// - Returns: false if the kernel did not come back from it.
    @discardableResult
    public func abort(within duration: Duration = .seconds(5)) -> Bool {
        // ENOENT, the connection is gone already, is as good as success.
        IsolatedCall.write("\(FuseControl.root)/\(number)/abort", text: "1\n").run(within: duration) == nil || !exists
    }

    /// Processes with an open `/dev/fuse` that belongs to this connection.
    public var holders: [ProcessID] {
        ProcessID.all().filter { pid in
            names(in: "/proc/\(pid)/fd").contains { descriptor in
                linkTarget("/proc/\(pid)/fd/\(descriptor)") == "/dev/fuse"
                    && (contents(of: "/proc/\(pid)/fdinfo/\(descriptor)") ?? "").split(separator: "\n").contains {
                        $0.hasPrefix("fuse_connection:") && UInt32($0.filter(\.isNumber)) == number
                    }
            }
        }.map(ProcessID.init)
    }

    /// Processes of other mount namespaces in which it is mounted too, one for each: unmounting here does not end it.
    public var elsewhere: [ProcessID] {
        var seen: Set<String?> = [linkTarget("/proc/self/ns/mnt"), nil]
        return ProcessID.all().filter { pid in
            guard seen.insert(linkTarget("/proc/\(pid)/ns/mnt")).inserted else { return false }
            let table = (try? MountTable.read(FilePath("/proc/\(pid)/mountinfo"))) ?? []
            return table.contains { $0.isFUSE && $0.major == 0 && $0.minor == number }
        }.map(ProcessID.init)
    }

    /// For a file: what the control files say.
    public var text: String {
        let folder = "\(FuseControl.root)/\(number)"
        guard exists else { return "connection \(number): gone\n" }
        return ["waiting", "max_background", "congestion_threshold"].map { name in
            "connection \(number) \(name): \(contents(of: "\(folder)/\(name)") ?? "?")\n"
        }.joined() + "held by: \(holders.map { "\($0.pid)" }.joined(separator: " "))\n"
    }

    public var description: String { "connection \(number)" }
}
