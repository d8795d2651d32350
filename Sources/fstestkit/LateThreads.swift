import BenchCore

/// Where the daemon's own threads are, for its log: whoever reads that some did not end wants to know what held them.
enum LateThreads {
    static var text: String { ProcessSnapshot(.current).text }
}
