import ArgumentParser
import BenchCore
import Foundation
import TestMatrix

/// Lists as every option takes them: with commas, and given again.
enum Lists {
    /// `--suite a,b --suite c` as a, b, c.
    static func split(_ values: [String]) -> [String] {
        values.flatMap { $0.split(separator: ",") }.map { $0.trimmingCharacters(in: .whitespaces) }.filter {
            !$0.isEmpty
        }
    }
}
