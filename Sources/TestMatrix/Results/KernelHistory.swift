import BenchCore
public import Foundation
import GRDB

/// How a test did under one kernel on one target.
public struct KernelHistory: Sendable, Hashable, Codable {
    public var kernel: String
    public var target: String
    public var failures: Proportion
    public var first: Date
    public var last: Date
}
