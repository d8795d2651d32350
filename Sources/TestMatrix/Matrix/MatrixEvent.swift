public import BenchCore
import Foundation

/// What happens in a run of the matrix.
public enum MatrixEvent: Sendable {
    case began
    /// Cells by their index.
    case cellBegan(Int)
    case testBegan(Int)
    case result(Int, TestResult)
    case cellEnded(Int)
    case note(String)
    /// Nothing more comes of it, whether all cells were run or not.
    case ended
}
