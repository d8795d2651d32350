import ArgumentParser
import Foundation
import BenchCore
import VirtualMachines

/// The terminal passes all keys on, until it is restored.
struct RawTerminal {
    private let before: termios

    init() {
        var settings = termios()
        tcgetattr(STDIN_FILENO, &settings)
        before = settings
        cfmakeraw(&settings)
        // Lines that are said before the guest speaks begin at the left.
        settings.c_oflag |= tcflag_t(OPOST | ONLCR)
        tcsetattr(STDIN_FILENO, TCSANOW, &settings)
    }

    func restore() {
        var settings = before
        tcsetattr(STDIN_FILENO, TCSANOW, &settings)
    }
}
