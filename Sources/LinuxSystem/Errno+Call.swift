import CLinux
public import Glibc
public import SystemPackage

extension Errno {
    /// The result of a system call that answers -1 and `errno`, as a value or an error; EINTR is retried unless
    /// `retryOnInterrupt` is false.
    ///
    /// Nothing else in this package reads `errno`.
    @inlinable @inline(__always)
    public static func check<Value: SignedInteger>(
        retryOnInterrupt: Bool = true, _ call: () -> Value
    ) throws(Errno) -> Value {
        while true {
            let value = call()
            if value != -1 { return value }
            let error = Errno(rawValue: errno)
            if error == .interrupted && retryOnInterrupt { continue }
            throw error
        }
    }

    /// What the last failed call of the C library has left.
    public static var last: Errno { Errno(rawValue: Glibc.errno) }

    /// The errno's name as C spells it (`ENOTCONN`), for messages that are compared and searched.
    public var name: String {
        guard let name = unsafe clinux_errno_name(rawValue) else { return "errno \(rawValue)" }
        return unsafe String(cString: name)
    }
}

extension Errno {
    /// ENODEV, for which swift-system has the name of another system's meaning.
    public static var noSuchDevice: Errno { Errno(rawValue: Glibc.ENODEV) }
    /// ENOTCONN, likewise named for sockets only.
    public static var connectionGone: Errno { Errno(rawValue: Glibc.ENOTCONN) }
}
