import BenchCore
import CLinux
public import Foundation
import Glibc

/// A terminal that is drawn again several times a second, on the alternate screen. The size is asked for before each drawing, lines are
/// cut to it, and wrapping is off, so nothing garbles when the window changes.
public final class LiveScreen {
    private let descriptor: Int32
    private let color: Bool
    private var drawn = ContinuousClock.now
    private var size = (width: 0, height: 0)
    private var isOpen = false

    /// - Parameter descriptor: a terminal.
    public init(descriptor: Int32 = STDOUT_FILENO, color: Bool) {
        self.descriptor = descriptor
        self.color = color
    }

    func open() {
        guard !isOpen else { return }
        isOpen = true
        write("\u{1b}[?1049h\u{1b}[?25l\u{1b}[?7l")
    }

    /// Shows the screen as it was before.
    public func close() {
        guard isOpen else { return }
        isOpen = false
        write("\u{1b}[?7h\u{1b}[?25h\u{1b}[?1049l")
    }

    /// - Parameters:
    ///   - atOnce: even if the last drawing was a moment ago.
    ///   - lines: made for a width and a height.
    func draw(atOnce: Bool, _ lines: (_ width: Int, _ height: Int) -> [StyledLine]) {
        let now = Terminal.size(of: descriptor)
        let isResized = now != size
        guard isOpen, atOnce || isResized || drawn.duration(to: .now) > .milliseconds(100) else { return }
        drawn = .now
        size = now
        // Nothing of a frame for another size may stay.
        var text = isResized ? "\u{1b}[2J\u{1b}[H" : "\u{1b}[H"
        for (index, line) in lines(now.width, now.height).enumerated() {
            if index > 0 { text += "\r\n" }
            text += line.rendered(limit: now.width, color: color) + "\u{1b}[K"
        }
        write(text + "\u{1b}[J")
    }

    private func write(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            // A terminal that went away is no reason to stop the run.
            if written <= 0 && errno != EINTR && errno != EAGAIN { return }
            rest = rest.dropFirst(max(0, written))
        }
    }
}
