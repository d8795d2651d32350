import Glibc

/// The kernel's objects of all FUSE connections of this machine.
public struct FuseSlabs: Sendable {
    /// Objects in use, by cache: `fuse_inode`, `fuse_request`.
    public var objects: [String: Int]

    public init(objects: [String: Int]) {
        self.objects = objects
    }

    /// Counts them, once each CPU has given back the slabs that it keeps for itself.
    ///
    /// A slab that a CPU allocates from counts as fully in use in `/proc/slabinfo`, whatever is in it: on eight CPUs that is
    /// hundreds of objects which nobody holds. KASAN's quarantine counts likewise. Writing to a cache's `shrink` (SLUB's
    /// sysfs) ends both.
    /// - Returns: nil if the kernel does not tell.
    public static func current() -> FuseSlabs? {
        for cache in caches { IsolatedCall.write("/sys/kernel/slab/\(cache)/shrink", text: "1").run() }
        guard let text = contents(of: "/proc/slabinfo") else { return nil }
        var objects: [String: Int] = [:]
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 2, caches.contains(String(fields[0])), let active = Int(fields[1]) else { continue }
            objects[String(fields[0])] = active
        }
        return objects.isEmpty ? nil : FuseSlabs(objects: objects)
    }

    /// What has grown by more than an object a cycle; a line for each cache.
    public func growth(since before: FuseSlabs, over cycles: Int) -> [String] {
        before.objects.sorted { $0.key < $1.key }.compactMap { cache, count in
            let grown = (objects[cache] ?? 0) - count
            return grown > max(64, cycles) ? "\(cache) grew by \(grown) objects over \(cycles) cycles" : nil
        }
    }

    /// Why they cannot be counted here; nil if they can.
    public static var obstacle: String? {
        for cache in caches where access("/sys/kernel/slab/\(cache)/shrink", W_OK) != 0 {
            return "/sys/kernel/slab/\(cache)/shrink cannot be written, so what CPUs keep is not told from what leaks"
        }
        return nil
    }

    private static let caches = ["fuse_inode", "fuse_request"]
}
