import CLinux
import Glibc
import LinuxSystem
package import SystemPackage

/// A program of the host that does a part of the work: apt-get, dpkg-deb, mke2fs …
package enum HostProgram {
    /// Where it is: as it is named if that is a path, else in PATH or in the folders of programs for root, which a user's PATH
    /// may lack.
    package static func find(_ name: String) -> FilePath? {
        if name.contains("/") { return access(name, X_OK) == 0 ? FilePath(name) : nil }
        let path = getenv("PATH").map { String(cString: $0) } ?? ""
        let folders =
            path.split(separator: ":").map(String.init) + ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin"]
        return folders.map { FilePath($0).appending(name) }.first { access($0.string, X_OK) == 0 }
    }

    static func require(_ name: String, package: String) throws(VirtualMachineError) -> FilePath {
        guard let path = find(name) else { throw .missingPrograms([name], packages: [package]) }
        return path
    }

    /// Looks for all that a piece of work takes before it begins, so that whoever lacks several hears of them at once.
    ///
    /// - Parameter programs: each with the Debian package that has it.
    static func require(_ programs: KeyValuePairs<String, String>) throws(VirtualMachineError) {
        let missing = programs.filter { find($0.key) == nil }
        if missing.isEmpty { return }
        throw .missingPrograms(missing.map(\.key), packages: missing.map(\.value))
    }

    /// Runs a program to its end; it dies with this process.
    ///
    /// - Parameters:
    ///   - package: the Debian package that has the program.
    ///   - environment: variables on top of this process's own.
    ///   - output: where its standard output goes; nil to return it.
    /// - Returns: what it said on standard output.
    @discardableResult
    package static func run(
        _ command: [String], package: String, environment: [String: String] = [:], output: FilePath? = nil
    ) throws(VirtualMachineError) -> String {
        let program = try require(command[0], package: package)
        let (said, errors, status): (String, String, Int32)
        do throws(Errno) {
            (said, errors, status) = try Self.run(program, command, environment, output)
        } catch {
            throw .system(program, error)
        }
        if status == 0 { return said }
        throw .programFailed(
            command, status: status & 0x7f == 0 ? "exit status \(status >> 8)" : "signal \(status & 0x7f)",
            said: (errors.isEmpty ? said : errors).split(separator: "\n").suffix(8).map(String.init))
    }

    /// A command that takes all that it has started along when it dies with this process; as root, since it takes a process
    /// namespace of its own.
    static func contained(_ command: [String]) -> [String] {
        geteuid() == 0 ? ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"] + command : command
    }

    /// Runs a program on this process's own input and output to its end; it dies with this process.
    ///
    /// - Returns: its exit status, as a shell has it.
    package static func follow(_ command: [String]) throws(Errno) -> Int32 {
        guard let program = find(command[0]) else { throw .noSuchFileOrDirectory }
        let pid = try DependentProcess.start(program, command, environment: [:], descriptors: [0, 1, 2])
        var status: CInt = 0
        _ = try Errno.check { waitpid(pid, &status, 0) }
        return status & 0x7f == 0 ? status >> 8 : 128 + status & 0x7f
    }

    private static func run(
        _ program: FilePath, _ command: [String], _ environment: [String: String], _ output: FilePath?
    ) throws(Errno) -> (output: String, errors: String, status: Int32) {
        var said = try PipeEnds()
        var errors = try PipeEnds()
        var file: CInt = -1
        if let output {
            file = try Errno.check {
                clinux_openat(AT_FDCWD, output.string, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
            }
        }
        defer { if file >= 0 { close(file) } }
        let pid = try DependentProcess.start(
            program, command, environment: environment,
            descriptors: [-1, output == nil ? said.writing : file, errors.writing])
        said.closeWriting()
        errors.closeWriting()
        let texts = try drain([said.reading, errors.reading])
        var status: CInt = 0
        _ = try Errno.check { waitpid(pid, &status, 0) }
        return (texts[0], texts[1], status)
    }

    /// Reads all of them to their ends, side by side, so that none of them fills up.
    private static func drain(_ descriptors: [CInt]) throws(Errno) -> [String] {
        var bytes = descriptors.map { _ in [UInt8]() }
        var entries = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        var chunk = [UInt8](repeating: 0, count: 65536)
        while entries.contains(where: { $0.fd >= 0 }) {
            _ = try Errno.check { poll(&entries, nfds_t(entries.count), -1) }
            for index in entries.indices where entries[index].fd >= 0 && entries[index].revents != 0 {
                let count = try Errno.check { read(entries[index].fd, &chunk, chunk.count) }
                if count == 0 { entries[index].fd = -1 } else { bytes[index] += chunk[..<count] }
            }
        }
        return bytes.map { String(decoding: $0, as: UTF8.self) }
    }
}
