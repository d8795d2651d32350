/// `enum fuse_uring_cmd`.
enum FuseCommand {
    static let register: UInt32 = 1
    static let commitAndFetch: UInt32 = 2
}
