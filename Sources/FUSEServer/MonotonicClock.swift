public import Glibc

/// The monotonic clock in nanoseconds.
@usableFromInline
package enum MonotonicClock {
    @inlinable @inline(__always)
    package static func now() -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
