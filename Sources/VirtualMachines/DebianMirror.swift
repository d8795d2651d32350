/// The mirror of Debian that the machine's own apt uses, and the machine's own release.
struct DebianMirror: Equatable, Sendable {
    /// `http://deb.debian.org/debian`.
    let address: String
    /// The release that the machine runs: `bookworm`.
    let codename: String

    private static let keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

    static func ofMachine() throws(VirtualMachineError) -> DebianMirror {
        let targets = try HostProgram.run(
            ["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME) $(RELEASE)", "Created-By: Packages"],
            package: "apt")
        guard let mirror = DebianMirror(targets: targets) else { throw .noDebianMirror }
        return mirror
    }

    /// - Parameter targets: lines of address, codename and release. Before the first `apt-get update` there is no codename yet.
    init?(targets: String) {
        for line in targets.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            guard words.count >= 2 else { continue }
            var address = words[0]
            while address.hasSuffix("/") { address.removeLast() }
            let codename = words[1].hasPrefix("$") ? words.last! : words[1]
            guard address.hasSuffix("/debian"), codename.allSatisfy(\.isLetter) else { continue }
            (self.address, self.codename) = (address, codename)
            return
        }
        return nil
    }

    init(address: String, codename: String) {
        (self.address, self.codename) = (address, codename)
    }

    /// A line of sources.list(5). Signatures are checked; a mirror's age is not, since an old kernel is as good as a new one.
    func source(_ suite: String) -> String {
        "deb [signed-by=\(Self.keyring) check-valid-until=no] \(address) \(suite) main"
    }

    /// Where kernels of all ages are: the stable release, by name since mirrors are late with `stable`, and the newest.
    var kernelSources: [String] { ["trixie", "trixie-backports", "sid"].map(source) }

    /// Where programs are that run on this machine.
    var ownSources: [String] { [codename, "\(codename)-backports"].map(source) }
}
