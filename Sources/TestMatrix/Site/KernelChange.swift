import Foundation

/// A test that fails on a kernel more than it did on the one before, or less, and not by chance: the intervals of both rates lie apart.
struct KernelChange {
    let test: Trends.Test
    let old: (kernel: String, failures: Proportion)
    let new: (kernel: String, failures: Proportion)

    var isRegression: Bool { new.failures.share > old.failures.share }

    /// The last change of each test, on which it still stands; the largest first.
    static func all(in tests: [Trends.Test]) -> [KernelChange] {
        tests.compactMap(last).sorted { one, other in
            (one.size, other.test.path, other.test.target) > (other.size, one.test.path, one.test.target)
        }
    }

    private var size: Double { abs(new.failures.share - old.failures.share) }

    private static func last(_ test: Trends.Test) -> KernelChange? {
        // As versions go: several kernels may have been run side by side.
        let kernels = test.kernels.sorted { $0.key.compare($1.key, options: .numeric) == .orderedAscending }
        for (old, new) in zip(kernels, kernels.dropFirst()).reversed()
        where !old.value.interval.overlaps(new.value.interval) {
            return KernelChange(test: test, old: (old.key, old.value), new: (new.key, new.value))
        }
        return nil
    }
}
