import BenchCore
import Foundation

/// The matrix on a terminal.
public final class LiveView: MatrixView {
    private let screen: LiveScreen

    public init(_ screen: LiveScreen) {
        self.screen = screen
    }

    public func show(_ event: MatrixEvent, _ progress: MatrixProgress) {
        if case .began = event { screen.open() }
        draw(progress, atOnce: { if case .cellEnded = event { true } else { false } }())
    }

    public func tick(_ progress: MatrixProgress) { draw(progress, atOnce: false) }

    public func close() { screen.close() }

    private func draw(_ progress: MatrixProgress, atOnce: Bool) {
        screen.draw(atOnce: atOnce) { width, height in
            LiveFrame(progress: progress, width: width, height: height, now: Date()).lines()
        }
    }
}
