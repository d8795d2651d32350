import FUSEServer

/// How many payload buffers the entries of each queue share.
struct PoolPlan: Equatable {
    let buffersPerQueue: Int
    /// As the kernel cuts them.
    let bufferSize: Int
    /// All queues' pools together are so small that it does not matter if all of them is in use.
    let isSmall: Bool

    var bytesPerQueue: Int { buffersPerQueue * bufferSize }

    /// What all pools may come to by themselves, in bytes. The kernel gives out the buffers at the front first, and what is never
    /// used is no memory: few clients do not come near it.
    static let budget = 48 << 20
    /// With fewer buffers one request that waits (for a disk, for a copy) would hold up all others of its queue.
    static let fewest = 2
    /// What may always be in use, in bytes.
    private static let small = 16 << 20
    /// `struct fuse_uring_cmd_req` has 32 bits for the size of a pool.
    static let most = Int(UInt32.max)

    /// - Parameter bufferSize: bytes of the largest payload.
    /// - Throws: unavailable, if a pool of the size that was asked for has no room for a buffer.
    init(_ pool: PayloadSetting.Pool, queues: Int, depth: Int, bufferSize: Int) throws(TransportError) {
        let buffers: Int
        if case .bytes(let bytes) = pool {
            buffers = min(bytes / bufferSize, depth)
            guard buffers > 0 else {
                throw .unavailable(
                    cause: "a pool of \(bytes) bytes has no room for a payload",
                    remedy: "make it \(bufferSize) bytes at least, or max_write smaller")
            }
        } else {
            buffers = min(max(PoolPlan.budget / (queues * bufferSize), PoolPlan.fewest), depth)
        }
        self.bufferSize = bufferSize
        buffersPerQueue = min(buffers, PoolPlan.most / bufferSize)
        isSmall = queues * buffersPerQueue * bufferSize <= PoolPlan.small
    }
}
