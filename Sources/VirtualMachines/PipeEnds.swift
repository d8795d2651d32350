import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// Both ends of a pipe(2), closed with it.
struct PipeEnds: ~Copyable {
    let reading: CInt
    private(set) var writing: CInt

    init() throws(Errno) {
        var ends: [CInt] = [-1, -1]
        _ = try Errno.check { clinux_pipe2(&ends, O_CLOEXEC) }
        (reading, writing) = (ends[0], ends[1])
    }

    mutating func closeWriting() {
        close(writing)
        writing = -1
    }

    deinit {
        close(reading)
        if writing >= 0 { close(writing) }
    }
}
