public import BenchCore
public import Foundation
import GRDB

/// One time that a test was run.
public struct TestOccurrence: Sendable, Hashable, Codable {
    public var run: String
    public var date: Date
    public var kernel: String
    public var target: String
    public var verdict: Verdict
    public var seconds: Double
    public var message: String
}
