import ArgumentParser

/// What is done with each kernel of a bisection.
struct TrialOptions: ParsableArguments {
    @Option(help: "A fragment of the kernel's configuration: sanitizers, kcsan, or a file. May be given again.")
    var fragment: [String] = []
    @Option(
        help: """
            The failure that is sought: an oracle's letter, or a part of an oracle's name, a message or a test's name (default: \
            any failure).
            """)
    var symptom: String?
    @Option(help: "The folder for the results.")
    var output = "fstestkit-bisect"
    @Argument(parsing: .postTerminator, help: "matrix and its options, but for --kernel and --output.")
    var command: [String] = []

    func validate() throws {
        guard command.first == "matrix" else {
            throw ValidationError("what shall be run with each kernel? Put it behind --: matrix --quick --suite …")
        }
        let own = ["--kernel", "--output", "--resume", "--plan", "--shard", "--print-config"]
        if let word = command.first(where: { word in own.contains { word == $0 || word.hasPrefix($0 + "=") } }) {
            throw ValidationError("\(word) is not for a bisection, which tries one kernel after another")
        }
        if symptom?.isEmpty == true { throw ValidationError("--symptom takes a text") }
    }
}
