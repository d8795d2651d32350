public import Glibc

/// A value that is touched only with its lock held.
///
/// It does what `Synchronization.Mutex` does, with a pthread mutex. That one waits in its library, which is not built for
/// the thread sanitizer: under contention every value it guards is reported as a race. The sanitizer knows pthreads.
// Safe: the value is reached under the mutex alone, and both live as long as this.
@safe
public final class Lock<Value: ~Copyable>: @unchecked Sendable {
    /// On the heap, since a pthread mutex must not move.
    @usableFromInline let mutex: UnsafeMutablePointer<pthread_mutex_t>
    /// Guarded by `mutex`; behind a pointer, since Swift would check each access to a property for exclusiveness.
    @usableFromInline let value: UnsafeMutablePointer<Value>

    public init(_ value: consuming sending Value) {
        unsafe mutex = .allocate(capacity: 1)
        unsafe pthread_mutex_init(mutex, nil)
        unsafe self.value = .allocate(capacity: 1)
        unsafe self.value.initialize(to: value)
    }

    deinit {
        unsafe value.deinitialize(count: 1)
        unsafe value.deallocate()
        unsafe pthread_mutex_destroy(mutex)
        unsafe mutex.deallocate()
    }

    /// Calls `body` with the lock held. It is not recursive: a `body` that takes the same lock waits for ever.
    @inlinable
    public func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return try unsafe body(&value.pointee)
    }
}
