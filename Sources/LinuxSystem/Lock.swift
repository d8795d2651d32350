public import Glibc

/// A value that is touched only with its lock held.
///
/// It does what `Synchronization.Mutex` does, with a pthread mutex. That one waits in its library, which is not built for
/// the thread sanitizer: under contention every value it guards is reported as a race. The sanitizer knows pthreads.
public final class Lock<Value: ~Copyable>: @unchecked Sendable {
    /// On the heap, since a pthread mutex must not move.
    @usableFromInline let mutex: UnsafeMutablePointer<pthread_mutex_t>
    /// Guarded by `mutex`; behind a pointer, since Swift would check each access to a property for exclusiveness.
    @usableFromInline let value: UnsafeMutablePointer<Value>

    public init(_ value: consuming sending Value) {
        mutex = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        self.value = .allocate(capacity: 1)
        self.value.initialize(to: value)
    }

    deinit {
        value.deinitialize(count: 1)
        value.deallocate()
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// Calls `body` with the lock held. It is not recursive: a `body` that takes the same lock waits for ever.
    @inlinable
    public func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&value.pointee)
    }
}
