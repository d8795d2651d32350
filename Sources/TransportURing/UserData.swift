/// What a completion is about, packed into the 64 bits that io_uring hands back with it.
struct UserData: Equatable {
    /// Which of an entry's submissions has completed.
    enum Kind: UInt8 {
        /// REGISTER or COMMIT_AND_FETCH: the entry holds a request, or has failed.
        case command
        /// A read, write or fsync of the backing file.
        case backing
        /// The ring's eventfd became readable; the entry means nothing.
        case wakeUp
        /// A command of a ``RingHook``, whose outcome means nothing.
        case hook
        /// ADD_QUEUE and ADD_BUFPOOL, which complete as they are submitted; the entry is the queue's number.
        case setUp
    }

    let kind: Kind
    /// Index among the ring's entries.
    let entry: UInt32

    init(_ kind: Kind, entry: UInt32 = 0) {
        self.kind = kind
        self.entry = entry
    }

    /// Of a completion; nil if it is none of this program's.
    init?(rawValue: UInt64) {
        guard let kind = Kind(rawValue: UInt8(truncatingIfNeeded: rawValue >> 32)), rawValue >> 40 == 0 else {
            return nil
        }
        self.kind = kind
        entry = UInt32(truncatingIfNeeded: rawValue)
    }

    var rawValue: UInt64 { UInt64(kind.rawValue) << 32 | UInt64(entry) }
}
