/// Scripts that are known to break some kernel, each as short as it could be made.
public enum Corpus {
    /// One of them.
    struct Entry {
        let name: String
        /// Where it was seen, and what came of it.
        let harm: String
        let moves: [String]
    }

    static let entries = [
        Entry(
            name: "setxattr-into-small-entry",
            harm: "6.18.15: BUG in fuse_copy_fill, from fuse_uring_args_to_ring: the request does not fit",
            moves: ["init size=small", "register", "client does=setxattr"]),
        Entry(
            name: "overlong-commit",
            harm: "6.18.15: BUG in fuse_copy_fill, from fuse_uring_copy_from_ring: payload_sz is beyond the entry",
            moves: ["init size=small", "register", "client does=getxattr", "commit payload=over"]),
        Entry(
            name: "interrupt-id-in-reply",
            harm: "6.18.15: WARNING in fuse_uring_cmd: the reply's unique has the bit of an INTERRUPT",
            moves: ["init", "register", "client", "commit unique=interrupt"]),
        Entry(
            name: "unreadable-header-at-commit",
            harm: "6.18.15: bytes that could not be copied are taken for an error, and ERR_PTR of them for a pointer",
            moves: [
                "init", "register", "client count=16", "pause ms=64", "memory act=unmap part=header", "commit",
            ]),
    ]

    /// To be played.
    ///
    /// - Throws: ``ScriptError`` if one cannot be read, which its test sees to.
    public static func cases() throws(ScriptError) -> [RingFuzzSession.Case] {
        var cases: [RingFuzzSession.Case] = []
        for entry in entries {
            let script = try Script(entry.moves.map { $0 + "\n" }.joined())
            cases.append(RingFuzzSession.Case(name: entry.name, script: script))
        }
        return cases
    }
}
