import BenchCore
import CLinux
public import Foundation
import Glibc

/// The matrix on a terminal, drawn again several times a second on the alternate screen. The size is asked for before each
/// drawing, lines are cut to it, and wrapping is off, so nothing garbles when the window changes.
public final class LiveView: MatrixView {
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

    public func show(_ event: MatrixEvent, _ progress: MatrixProgress) {
        if case .began = event { open() }
        draw(progress, atOnce: { if case .cellEnded = event { true } else { false } }())
    }

    public func tick(_ progress: MatrixProgress) { draw(progress, atOnce: false) }

    /// Shows the screen as it was before.
    public func close() {
        guard isOpen else { return }
        isOpen = false
        write("\u{1b}[?7h\u{1b}[?25h\u{1b}[?1049l")
    }

    private func open() {
        guard !isOpen else { return }
        isOpen = true
        write("\u{1b}[?1049h\u{1b}[?25l\u{1b}[?7l")
    }

    private func draw(_ progress: MatrixProgress, atOnce: Bool) {
        let now = Terminal.size(of: descriptor)
        let isResized = now != size
        guard isOpen, atOnce || isResized || drawn.duration(to: .now) > .milliseconds(100) else { return }
        drawn = .now
        size = now
        let lines = LiveFrame(progress: progress, width: now.width, height: now.height, now: Date()).lines()
        // Nothing of a frame for another size may stay.
        var text = isResized ? "\u{1b}[2J\u{1b}[H" : "\u{1b}[H"
        for (index, line) in lines.enumerated() {
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
