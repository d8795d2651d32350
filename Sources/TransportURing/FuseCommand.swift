/// `enum fuse_uring_cmd`.
enum FuseCommand {
    static let register: UInt32 = 1
    static let commitAndFetch: UInt32 = 2
    // Since 7.46:
    static let addQueue: UInt32 = 3
    static let addBufferPool: UInt32 = 4
}
