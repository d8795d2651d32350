package import SystemPackage

extension LoopbackFS {
    /// What a loopback filesystem serves and how.
    package struct Configuration: Sendable {
        /// When the kernel may answer from its page cache and its directory cache.
        package enum Caching: String, Sendable, CaseIterable {
            /// Data stays cached while mtime and size tell that nobody changed it behind the mount.
            case auto
            /// Data and directories stay cached over opens: only this mount changes the source.
            case always
            /// Nothing is cached: no attributes, no names, no data. Everybody sees every change at once.
            case never
        }

        /// When reading a file changes its time of access.
        package enum AccessTimes: Sendable {
            /// As the source's mount has it.
            case source
            /// Never (`noatime`).
            case never
            /// With every access (`strictatime`).
            case always
        }

        /// The directory that is served.
        package var source: FilePath
        /// How long the kernel may keep attributes, in nanoseconds.
        package var attributeTimeout: UInt64 = 1_000_000_000
        /// How long the kernel may keep names, those that do not exist too, in nanoseconds.
        package var entryTimeout: UInt64 = 1_000_000_000
        /// See ``Caching``.
        package var cache = Caching.auto
        /// See ``AccessTimes``. Anything but ``AccessTimes/source`` takes privileges, and is ignored without them: the
        /// source is then reached through a private mount of its own.
        package var accessTimes = AccessTimes.source
        /// Reads and writes bypass the kernel's page cache, whatever the client opened the file with.
        package var directIO = false
        /// The kernel collects writes in its page cache: fast for small writes, blind for changes behind the mount. Nothing
        /// comes of it where the page cache is bypassed (``directIO``, ``Caching/never``).
        package var writeback = false
        /// Reads and writes of regular files bypass the daemon (`FOPEN_PASSTHROUGH`), where the kernel offers it.
        package var passthrough = false
        /// POSIX ACLs are kept in the source and enforced by the kernel.
        package var posixACL = true
        /// Extended attributes; without them they are "not supported".
        package var extendedAttributes = true
        /// Record locks are the source's; without it they are local to this mount.
        package var posixLocks = true
        /// flock(2) locks are the source's; without it they are local to this mount.
        package var flockLocks = true
        /// Seconds that the kernel is asked to give each request (``Session/Configuration/requestTimeout``); 0 for any time. A
        /// lock that is waited for is given up in time.
        package var requestTimeout: UInt16 = 0
        /// Inodes are held by file handle, so that there may be more of them than descriptors; taken where
        /// open_by_handle_at(2) is permitted and the source's filesystem has handles.
        package var fileHandles = true
        /// Idmapped mounts are allowed. Needs the mount option `default_permissions`.
        package var idmappedMounts = true
        /// Descriptors for inodes. nil: a third of RLIMIT_NOFILE with file handles, all but a reserve without.
        package var descriptorBudget: Int?

        /// Whether every open bypasses the kernel's page cache.
        var isDirect: Bool { directIO || cache == .never }
        /// Whether the kernel is asked to collect writes: only where its page cache is used, or it would keep sizes and
        /// times of its own (`fuse_get_cache_mask()` in fs/fuse/inode.c) without ever writing back.
        var writesBack: Bool { writeback && !isDirect }

        /// The defaults, for this source.
        package init(source: FilePath) {
            self.source = source
        }
    }

    /// Why a source cannot be served.
    package enum SourceError: Error, Equatable {
        /// It cannot be opened as a directory: missing (ENOENT), a file (ENOTDIR), not permitted (EACCES), …
        case source(FilePath, Errno)
        /// `/proc` is not mounted: descriptors could not be reopened.
        case procfs(Errno)
    }
}
