import Glibc

/// How many files this process may have open (RLIMIT_NOFILE of getrlimit(2)).
public struct DescriptorLimit: Sendable {
    /// What holds now.
    public var soft: UInt64
    /// What `soft` can be raised to.
    public var hard: UInt64

    /// As it is.
    public static var current: DescriptorLimit {
        var limit = rlimit()
        // Cannot fail: a known resource, and memory of our own.
        unsafe getrlimit(resource, &limit)
        return DescriptorLimit(soft: UInt64(limit.rlim_cur), hard: UInt64(limit.rlim_max))
    }

    /// As it is after raising the soft limit to the hard one.
    public static func raised() -> DescriptorLimit {
        var limit = rlimit()
        unsafe getrlimit(resource, &limit)
        limit.rlim_cur = limit.rlim_max
        // Refused, above fs.nr_open: it stays as it was.
        unsafe setrlimit(resource, &limit)
        return current
    }

    private static var resource: __rlimit_resource_t { __rlimit_resource_t(RLIMIT_NOFILE.rawValue) }
}
