/// What the tests call, with Debian's packages that have it.
public enum XFSTestsPackages {
    /// Without these no run is begun.
    static let required = [("xfs_io", "xfsprogs"), ("perl", "perl"), ("gawk", "gawk"), ("bc", "bc")]

    /// Tests say "not run" without these.
    static let further = [
        ("attr", "attr"), ("setfattr", "attr"), ("setfacl", "acl"), ("fio", "fio"), ("dbench", "dbench"),
        ("killall", "psmisc"), ("lsof", "lsof"), ("file", "file"), ("hexdump", "bsdextrautils"),
        ("uuidgen", "uuid-runtime"), ("getcap", "libcap2-bin"), ("quota", "quota"), ("openssl", "openssl"),
        ("chattr", "e2fsprogs"), ("python3", "python3"), ("keyctl", "keyutils"),
    ]

    /// Each once.
    public static let names = Set((required + further).map(\.1)).sorted()
}
