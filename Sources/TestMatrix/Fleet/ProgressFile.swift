import BenchCore
import Foundation

/// Keeps a run's ``ShardProgress`` up to date, beside another view.
public final class ProgressFile: MatrixView {
    private let view: any MatrixView
    private let folder: String
    private let shard: String?
    private var written = ContinuousClock.now

    /// - Parameters:
    ///   - folder: the run's.
    ///   - view: what shows the run here.
    public init(folder: String, shard: String?, beside view: any MatrixView) {
        self.folder = folder
        self.shard = shard
        self.view = view
    }

    public func show(_ event: MatrixEvent, _ progress: MatrixProgress) {
        view.show(event, progress)
        switch event {
        case .began, .cellBegan, .cellEnded: write(progress)
        case .ended: write(progress, isEnded: true)
        case .testBegan, .result, .note: break
        }
    }

    public func tick(_ progress: MatrixProgress) {
        view.tick(progress)
        if written.duration(to: .now) > .seconds(2) { write(progress) }
    }

    public func close() { view.close() }

    private func write(_ progress: MatrixProgress, isEnded: Bool = false) {
        written = .now
        ShardProgress(progress, shard: shard, machine: Machine.name, isEnded: isEnded).write(to: folder)
    }
}
