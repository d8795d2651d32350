import BenchCore
public import Foundation
import GRDB

/// What the store knows of one test on one target, over all finished runs.
public struct TestHistory: Sendable, Hashable, Codable {
    public var suite: String
    public var area: String
    public var name: String
    public var target: String
    /// How often it failed, of the times it was executed. Skips do not count.
    public var failures: Proportion
    public var skips: Int
    public var lastPass: Moment?
    public var lastFailure: Moment?
    /// The first failure since it last passed; nil if it passed the last time.
    public var failsSince: Moment?

    /// A run, as far as a history needs it.
    public struct Moment: Sendable, Hashable, Codable {
        public var run: String
        public var date: Date
        public var kernel: String
    }

    /// `passing`, `always failing`, `failing now` (passed before), `flaky` (failed and passes now), or `skipped`.
    public var standing: String {
        if failures.total == 0 { return "skipped" }
        if failures.count == 0 { return "passing" }
        return failures.count == failures.total ? "always failing" : failsSince == nil ? "flaky" : "failing now"
    }
}
