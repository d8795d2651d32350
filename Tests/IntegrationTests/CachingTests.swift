import BenchCore
import Glibc
import SystemPackage
import Testing

extension Mounting {
    /// What the kernel may answer from its caches.
    @Suite(.serialized) struct CachingTests {
        @Test("cache=always keeps data that was changed behind the mount", arguments: availableTransports)
        func cachedAlways(_ transport: TransportName) throws {
            try withBench { bench, source, mountPoint in
                for (cache, seen) in [("always", "old"), ("auto", "new"), ("never", "new")] {
                    let target = Target(
                        .transport(transport), options: ["--cache", cache, "--attr-timeout", "0"])
                    let daemon = try MountedDaemon.start(target, source: source, mountPoint: mountPoint, bench: bench)
                    let script = """
                        printf old > \(mountPoint)/f && cat \(mountPoint)/f && sleep 0.05 && printf new > \(source)/f \
                        && stat \(mountPoint)/f >/dev/null && printf " " && cat \(mountPoint)/f
                        """
                    #expect(try shell(bench, script).output == "old \(seen)", "cache=\(cache)")
                    #expect(daemon.stop(.unmount).isComplete)
                }
            }
        }

        /// The files of /proc say that they are empty.
        @Test("files made up as they are read can be read", arguments: availableTransports, ["auto", "always"])
        func synthetic(_ transport: TransportName, cache: String) throws {
            try withBench { bench, _, mountPoint in
                let target = Target(.transport(transport), options: ["--cache", cache])
                let daemon = try MountedDaemon.start(
                    target, source: "/proc/sys", mountPoint: mountPoint, bench: bench)
                let result = try shell(bench, "cmp /proc/sys/kernel/ostype \(mountPoint)/kernel/ostype && echo same")
                #expect(result.output == "same\n")
                #expect(daemon.stop(.unmount).isComplete)
            }
        }
    }
}
