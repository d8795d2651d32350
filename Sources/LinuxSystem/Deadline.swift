import Glibc

/// A moment on the clock that never jumps, after which one stops waiting.
public struct Deadline: Sendable {
    public let instant: ContinuousClock.Instant

    public init(after duration: Duration) {
        instant = .now + duration
    }

    /// `seconds` from now, as a person gave them: what is negative or no number is now, and nothing is beyond thirty years.
    public init(secondsFromNow seconds: Double) {
        self.init(after: .seconds(seconds > 0 ? min(seconds, 1e9) : 0))
    }

    public var hasPassed: Bool { ContinuousClock.now >= instant }

    /// Never negative.
    public var remaining: Duration { max(.zero, instant - .now) }

    /// What is left, for poll(2): whole milliseconds, rounded up.
    public var millisecondsLeft: CInt {
        let (seconds, attoseconds) = remaining.components
        return CInt(min(seconds, 1_000_000) * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }

    /// Asks again and again, at growing intervals from 0.2 ms up to `interval`, until the answer is yes.
    ///
    /// - Returns: false if it was still no at the deadline.
    public func wait(upTo interval: Duration = .milliseconds(10), for condition: () -> Bool) -> Bool {
        var pause = Duration.microseconds(200)
        while !condition() {
            if hasPassed { return false }
            Deadline.sleep(min(pause, interval, remaining + .microseconds(1)))
            pause = min(pause * 2, interval)
        }
        return true
    }

    /// Sleeps that long, whatever signals come.
    public static func sleep(_ duration: Duration) {
        let (seconds, attoseconds) = max(.zero, duration).components
        var left = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
        var rest = timespec()
        // EINTR: `rest` holds what remains.
        while unsafe nanosleep(&left, &rest) < 0 && errno == EINTR { left = rest }
    }
}
