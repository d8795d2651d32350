import CLinux
import Glibc
import LinuxSystem
import SystemPackage
import Testing

@testable import FUSEServer

@Suite struct StopDeadlineTests {
    /// The two ends of a pipe that stands for a signalfd(2).
    private final class Signals {
        let ends: (reading: FileDescriptor, writing: FileDescriptor)

        init() throws {
            var ends: [CInt] = [0, 0]
            _ = try Errno.check { pipe(&ends) }
            self.ends = (FileDescriptor(rawValue: ends[0]), FileDescriptor(rawValue: ends[1]))
            _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
        }

        deinit {
            try? ends.reading.close()
            try? ends.writing.close()
        }

        func raise() {
            var info = signalfd_siginfo()
            info.ssi_signo = UInt32(SIGTERM)
            write(ends.writing.rawValue, &info, MemoryLayout<signalfd_siginfo>.size)
        }
    }

    @Test func itEndsWithItsDeadline() throws {
        let signals = try Signals()
        var patience = StopDeadline(signals.ends.reading, until: Deadline(secondsFromNow: 0.05))
        patience.wait { false }
        var asked = 0
        patience.wait {
            asked += 1
            return asked > 3
        }
        #expect(asked == 0, "there is one deadline for all that is waited for")
    }

    @Test func aSignalEndsAllWaiting() throws {
        let signals = try Signals()
        let end = Deadline(secondsFromNow: 60)
        var patience = StopDeadline(signals.ends.reading, until: end)
        var held = false
        patience.wait {
            held.toggle()
            return !held
        }
        #expect(!held, "what holds is not waited for any longer")
        signals.raise()
        patience.wait { false }
        patience.wait { false }
        #expect(!end.hasPassed)
    }
}
