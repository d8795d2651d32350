import Glibc
import LinuxSystem
import SystemPackage

/// A system call of a check that failed where nothing but success was allowed for.
struct CallError: Error, CustomStringConvertible {
    /// The call's name.
    var call: String
    /// What it was called with; empty if it had a descriptor only.
    var path: Path
    var errno: Errno

    var description: String {
        "\(call): expected success, got \(errno.name)" + (path.bytes.isEmpty ? "" : " (\(path))")
    }
}

/// Makes a system call; says which one it was, and of what, if it fails.
@discardableResult
func call<Value: FixedWidthInteger & SignedInteger>(
    _ name: String, _ path: Path = "", _ body: () -> Value
) throws(CallError) -> Value {
    do {
        return try Errno.check(body)
    } catch {
        throw CallError(call: name, path: path, errno: error)
    }
}
