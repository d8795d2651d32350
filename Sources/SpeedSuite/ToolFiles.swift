import CLinux
import Glibc

/// The files that tools work on.
enum ToolFiles {
    static let folders = 40
    static let filesOfEach = 50
    /// Entries of a tree.
    static let count = folders * (filesOfEach + 1)
    static let renamed = 2000
    static let compiled = 20
    private static let headers = 40

    /// Folders with small files.
    static func makeTree(_ root: String) {
        mkdir(root, 0o755)
        for folder in 0..<folders {
            mkdir("\(root)/\(folder)", 0o755)
            for file in 0..<filesOfEach { write("\(root)/\(folder)/\(file).txt", "file \(file) of folder \(folder)\n") }
        }
    }

    static func makeFlat(_ root: String, count: Int) {
        mkdir(root, 0o755)
        for file in 0..<count { write("\(root)/a\(file)", "") }
    }

    /// Small files of C, each of which includes all headers.
    static func makeSources(_ root: String) {
        mkdir(root, 0o755)
        for header in 0..<headers { write("\(root)/h\(header).h", "int f\(header)(int);\n") }
        let includes = (0..<headers).map { "#include \"h\($0).h\"\n" }.joined()
        for file in 0..<compiled {
            write("\(root)/c\(file).c", includes + "int g\(file)(void) { return f0(\(file)); }\n")
        }
    }

    /// What makes a work tree of a tree, whoever runs it.
    static let commit = [
        ["init", "--quiet"], ["add", "."],
        ["-c", "user.name=bench", "-c", "user.email=bench@example.org", "commit", "--quiet", "-m", "all"],
    ]

    private static func write(_ path: String, _ text: String) {
        let file = clinux_openat(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { return }
        _ = Glibc.write(file, text, text.utf8.count)
        close(file)
    }
}
