import Glibc

extension Target {
    /// The program of a daemon's command if it is not to be had here: it is neither the path of a program nor found in PATH.
    public var missingProgram: String? {
        guard case .command(let command) = kind, let name = Target.words(command).first, !name.contains("{") else {
            return nil
        }
        if name.contains("/") { return Target.isProgram(name) ? nil : name }
        // As posix_spawnp(3) looks for it.
        let folders = getenv("PATH").map { String(cString: $0) } ?? "/bin:/usr/bin"
        let isFound = folders.split(separator: ":", omittingEmptySubsequences: false).contains {
            Target.isProgram(($0.isEmpty ? "." : $0) + "/" + name)
        }
        return isFound ? nil : name
    }

    private static func isProgram(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
    }
}
