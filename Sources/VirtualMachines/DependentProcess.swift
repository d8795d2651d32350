import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// A process that the kernel kills when the thread that started it ends: nothing is left after a kill -9 of this one.
enum DependentProcess {
    /// - Parameter descriptors: what it has open, as 0, 1, 2, 3 …; -1 is /dev/null.
    static func start(
        _ program: FilePath, _ command: [String], environment: [String: String], descriptors: [CInt]
    ) throws(Errno) -> pid_t {
        let arguments = command.map { strdup($0) } + [nil]
        let variables = merged(environment).map { strdup($0) } + [nil]
        defer { for pointer in arguments + variables { free(pointer) } }
        return try Errno.check {
            clinux_spawn_dependent(program.string, arguments, variables, descriptors, descriptors.count)
        }
    }

    private static func merged(_ extra: [String: String]) -> [String] {
        var result: [String] = []
        var position = environ
        while let entry = position.pointee {
            let text = String(cString: entry)
            if extra[String(text.prefix(while: { $0 != "=" }))] == nil { result.append(text) }
            position += 1
        }
        return result + extra.map { "\($0.key)=\($0.value)" }
    }
}
