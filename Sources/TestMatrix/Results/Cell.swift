import Foundation

/// A cell of the matrix: a suite on a kernel and a target, at a depth, for the n-th time.
public struct Cell: Sendable, Hashable, Codable {
    public var suite: String
    /// A guest's kernel, with its CPUs if they are not the usual two; nil for the machine's own kernel.
    public var kernel: String?
    /// A transport's name, or a daemon's label.
    public var target: String
    /// Entries of each kernel queue; nil for the daemon's own choice.
    public var depth: Int?
    /// From 1.
    public var cycle: Int

    public init(suite: String, kernel: String? = nil, target: String, depth: Int? = nil, cycle: Int = 1) {
        self.suite = suite
        self.kernel = kernel
        self.target = target
        self.depth = depth
        self.cycle = cycle
    }

    /// `correctness/6.18/uring-single/depth-8/cycle-2`: names the cell.
    public var key: String {
        "\(suite)/\(column)" + (cycle > 1 ? "/cycle-\(cycle)" : "")
    }

    /// The same without the kernel.
    var keyOnAnyKernel: String {
        var cell = self
        cell.kernel = nil
        return cell.key
    }

    /// Its folder below the run's. Flat, so that no cell's folder lies in another's.
    public var folder: String { "cells/" + key.replacing("/", with: ".") }

    /// The matrix's column: kernel, target and depth.
    public var column: String { depth.map { "\(track)/depth-\($0)" } ?? track }

    /// What its tests' history goes by: kernel and target.
    public var track: String { kernel.map { "\($0)/\(target)" } ?? target }

    /// The column below its kernel's name.
    var columnOfKernel: String { depth.map { "\(target)/depth-\($0)" } ?? target }
}
