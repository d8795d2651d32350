import Foundation
import GRDB
import Glibc
import SystemPackage

/// What can be wrong with a store or with what is asked of it.
public enum StoreError: Error, Hashable, Sendable {
    case noStore(String)
    case notWritable(String, String)
    case notReadable(String, String)
    /// The file is no store, or something of it is lost.
    case damaged(String, String)
    /// Written by a later version of this program.
    case newerSchema(String)
    case noSuchRun(String)
    case ambiguousRun(String, [String])
    case noBaseline
    /// Runs that do not belong together, and why.
    case cannotMerge(String)
}

extension StoreError {
    /// The same of another file: that which the one at fault is a copy of.
    func naming(_ path: String) -> StoreError {
        switch self {
        case .noStore: .noStore(path)
        case .notWritable(_, let why): .notWritable(path, why)
        case .notReadable(_, let why): .notReadable(path, why)
        case .damaged(_, let why): .damaged(path, why)
        case .newerSchema: .newerSchema(path)
        case .noSuchRun, .ambiguousRun, .noBaseline, .cannotMerge: self
        }
    }
}
