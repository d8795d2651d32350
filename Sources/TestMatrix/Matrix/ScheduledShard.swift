/// The shard that a scheduler means, by what it says in a job's environment.
public enum ScheduledShard {
    /// Why it cannot be told.
    public struct Unknown: Error, Hashable, Sendable {
        public let why: String
    }

    /// Where each scheduler says the number of a job, from which number on, and how many there are.
    private static let variables: [(index: String, first: Int, count: String?)] = [
        // A Slurm array, numbered from 1.
        ("SLURM_ARRAY_TASK_ID", 1, "SLURM_ARRAY_TASK_COUNT"),
        // An Indexed Job of Kubernetes, which does not say how many there are.
        ("JOB_COMPLETION_INDEX", 0, nil),
        // GitLab's `parallel: N`.
        ("CI_NODE_INDEX", 1, "CI_NODE_TOTAL"),
    ]

    /// - Parameter count: how many shards there are, where a plan says that: of an array a single job may be run again.
    public static func shard(_ environment: [String: String], of count: Int?) throws(Unknown) -> Shard {
        guard let variable = variables.first(where: { environment[$0.index] != nil }) else {
            throw Unknown(
                why: "no scheduler says which shard this is (\(variables.map { $0.index }.joined(separator: ", ")))")
        }
        let text = environment[variable.index] ?? ""
        guard let count = count ?? variable.count.flatMap({ environment[$0].flatMap(Int.init) }) else {
            throw Unknown(
                why: "\(variable.index) is there, and nobody says how many shards there are: --planned FILE does")
        }
        guard let number = Int(text), (1...max(1, count)).contains(number - variable.first + 1) else {
            throw Unknown(
                why: "\(variable.index) is '\(text)': of \(count) shards they go from \(variable.first) to "
                    + "\(count + variable.first - 1)")
        }
        return Shard(index: number - variable.first + 1, count: count)
    }
}
