public import Foundation

/// A cell of the matrix: a suite on a target, at a depth, for the n-th time.
public struct Cell: Sendable, Hashable, Codable {
    public var suite: String
    /// A transport's name, or a daemon's label.
    public var target: String
    /// Entries of each kernel queue; nil for the daemon's own choice.
    public var depth: Int?
    /// From 1.
    public var cycle: Int

    public init(suite: String, target: String, depth: Int? = nil, cycle: Int = 1) {
        self.suite = suite
        self.target = target
        self.depth = depth
        self.cycle = cycle
    }

    /// `correctness/uring-single/depth-8/cycle-2`: names the cell.
    public var key: String {
        "\(suite)/\(column)" + (cycle > 1 ? "/cycle-\(cycle)" : "")
    }

    /// Its folder below the run's. Flat, so that no cell's folder lies in another's.
    public var folder: String { "cells/" + key.replacing("/", with: ".") }

    /// The matrix's column: target and depth.
    public var column: String { depth.map { "\(target)/depth-\($0)" } ?? target }
}
