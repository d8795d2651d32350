/// Delta debugging: takes operations out of a sequence as long as what it shows is still there.
enum Shrinker {
    /// A sequence from which nothing more can be taken out.
    struct Result {
        var operations: [Operation]
        /// False if the whole sequence did not show it a second time.
        var isReproducible: Bool
    }

    /// - Parameters:
    ///   - operations: a sequence that has shown the difference.
    ///   - attempts: runs that the whole sequence gets to show it again.
    ///   - shows: runs a candidate.
    static func shrink(
        _ operations: [Operation], attempts: Int = 5, shows: ([Operation]) throws -> Bool
    ) throws -> Result {
        guard try (0..<attempts).contains(where: { _ in try shows(operations) }) else {
            return Result(operations: operations, isReproducible: false)
        }
        var current = operations
        var chunk = max(1, current.count / 2)
        while true {
            var changed = false
            // From the end: what comes last matters least to what comes first.
            var end = current.count
            while end > 0 {
                let start = max(0, end - chunk)
                let candidate = Array(current[..<start] + current[end...])
                if !candidate.isEmpty, try shows(candidate) {
                    current = candidate
                    changed = true
                }
                end = min(start, current.count)
            }
            if chunk > 1 { chunk = max(1, chunk / 2) } else if !changed { break }
        }
        return Result(operations: try simplify(current, shows), isReproducible: true)
    }

    /// Replaces numbers by plainer ones where that shows the same.
    private static func simplify(_ operations: [Operation], _ shows: ([Operation]) throws -> Bool) throws -> [Operation]
    {
        var current = operations
        for index in current.indices {
            for change in simpler(current[index]) {
                var candidate = current
                candidate[index] = change
                if try shows(candidate) {
                    current = candidate
                    break
                }
            }
        }
        return current
    }

    private static func simpler(_ operation: Operation) -> [Operation] {
        var plain = operation
        switch operation.kind {
        case .write, .append, .pwrite, .read, .pread:
            (plain.first, plain.second, plain.third) = (
                0, 1, operation.kind == .read || operation.kind == .pread ? 0 : 1
            )
            var short = operation
            short.first = 0
            return [plain, short]
        case .create, .mkdir, .exclusive, .mknod: plain.first = operation.kind == .mkdir ? 0o755 : 0o644
        case .truncate, .ftruncate: plain.first = 0
        case .setxattr: (plain.first, plain.second, plain.third) = (1, 0, 1)
        case .times: (plain.first, plain.second) = (1000, 0)
        default: return []
        }
        return plain == operation ? [] : [plain]
    }
}
