import BenchCore
import Glibc
import LinuxSystem
import SystemPackage

/// Holds `check` before each test until the bench has written down the last one.
///
/// `check` tells the system log of each test before it starts, by the program in LOGGER_PROG. That is a script of the bench's:
/// it writes the name into one pipe and waits for an answer from another. A `check` that does not call it is still followed
/// by its output.
final class CheckGate {
    let script: FilePath
    private let ask: FileDescriptor
    private let reply: FileDescriptor
    private var pending = ""

    /// Makes the pipes and the script.
    ///
    /// - Throws: the errno of mkfifo(3), open(2) or write(2).
    init(folder: FilePath) throws(Errno) {
        script = folder.appending("gate")
        let askPath = folder.appending("gate.ask").string
        let replyPath = folder.appending("gate.reply").string
        for path in [askPath, replyPath] {
            unlink(path)
            _ = try Errno.check { mkfifo(path, 0o600) }
        }
        // Open for both, so that neither side ever sees an end of file.
        ask = FileDescriptor(rawValue: try Errno.check { Glibc.open(askPath, O_RDWR | O_NONBLOCK | O_CLOEXEC) })
        reply = FileDescriptor(rawValue: try Errno.check { Glibc.open(replyPath, O_RDWR | O_NONBLOCK | O_CLOEXEC) })
        let text = """
            #!/bin/sh
            # check calls this before each test: it waits until the bench has written down the last result.
            echo "$*" >'\(askPath)'
            read -r answer <'\(replyPath)'

            """
        let file = try Errno.check { [script] in
            Glibc.open(script.string, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o755)
        }
        defer { close(file) }
        var bytes = Array(text.utf8)
        _ = try Errno.check { write(file, &bytes, bytes.count) }
    }

    deinit {
        try? ask.close()
        try? reply.close()
    }

    /// Waits for a test that wants to start.
    ///
    /// - Returns: its name, or nil if none came in that time.
    func wait(_ duration: Duration) -> String? {
        if let name = takeLine() { return name }
        var entry = pollfd(fd: ask.rawValue, events: Int16(POLLIN), revents: 0)
        // EINTR comes back as "nothing yet".
        guard poll(&entry, 1, Int32(duration.seconds * 1000)) > 0 else { return nil }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { read(ask.rawValue, $0.baseAddress!, $0.count) }
        if count > 0 { pending += String(decoding: buffer[..<count], as: UTF8.self) }
        return takeLine()
    }

    /// Lets the test that asked start.
    func open() {
        _ = try? reply.writeAll("go\n".utf8)
    }

    /// `run xfstest generic/001`
    private func takeLine() -> String? {
        guard let end = pending.firstIndex(of: "\n") else { return nil }
        let line = pending[..<end]
        pending = String(pending[pending.index(after: end)...])
        return line.split(separator: " ").last.map(String.init)
    }
}
