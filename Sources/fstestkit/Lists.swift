import ArgumentParser
import BenchCore
import Foundation
import TestMatrix

/// Lists as every option takes them: with commas, and given again.
enum Lists {
    /// `--suite a,b --suite c` as a, b, c.
    ///
    /// - Parameter option: its name, for the refusal of a list of nothing, which would pass for no list at all.
    static func split(_ values: [String], of option: String) throws -> [String] {
        let words = values.flatMap { $0.split(separator: ",") }.map { $0.trimmingCharacters(in: .whitespaces) }.filter {
            !$0.isEmpty
        }
        if words.isEmpty && !values.isEmpty { throw ValidationError("\(option) names nothing") }
        return words
    }
}
