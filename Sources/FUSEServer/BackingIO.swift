import CLinux
import Glibc
import LinuxSystem
package import SystemPackage

/// Backing reads and writes, done in the calling thread.
package enum BackingIO {
    /// Reads until `buffer` is full or the file ends, since the kernel takes a short reply for the end of the file.
    ///
    /// - Parameter nonblocking: with RWF_NOWAIT, so that only what the page cache has is read.
    /// - Returns: bytes read, and whether that is all there is (false only with `nonblocking`).
    /// - Throws: what preadv2(2) says; EAGAIN and EOPNOTSUPP with `nonblocking` if nothing could be read so.
    package static func read(
        _ file: BackingFile, offset: Int64, into buffer: UnsafeMutableRawBufferPointer, nonblocking: Bool = false
    ) throws(Errno) -> (count: Int, complete: Bool) {
        var done = 0
        while done < buffer.count {
            var vector = unsafe iovec(iov_base: buffer.baseAddress! + done, iov_len: buffer.count - done)
            let count: Int
            do throws(Errno) {
                count = try Errno.check {
                    unsafe nonblocking
                        ? clinux_preadv2(file.descriptor.rawValue, &vector, 1, offset + Int64(done), CLINUX_RWF_NOWAIT)
                        : clinux_pread(file.descriptor.rawValue, vector.iov_base, vector.iov_len, offset + Int64(done))
                }
            } catch {
                // What was read before the error is good; a read of the rest will meet the error again.
                if done == 0 { throw error }
                return (done, !nonblocking)
            }
            done += count
            // A direct read that is short has met the end of the file, and the rest would be misaligned.
            if unsafe count == 0 || (file.isDirect && count < vector.iov_len) { break }
        }
        return (done, true)
    }

    /// Writes all of `bytes` unless an error comes first.
    ///
    /// - Parameter flags: of pwritev2(2).
    /// - Returns: bytes written; fewer than given only when the rest failed.
    package static func write(
        _ file: BackingFile, offset: Int64, _ bytes: UnsafeRawBufferPointer, flags: CInt
    ) throws(Errno) -> Int {
        var done = 0
        repeat {
            var vector = unsafe iovec(
                iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress! + done), iov_len: bytes.count - done)
            do throws(Errno) {
                let count = try Errno.check {
                    unsafe flags != 0
                        ? clinux_pwritev2(file.descriptor.rawValue, &vector, 1, offset + Int64(done), flags)
                        : clinux_pwrite(file.descriptor.rawValue, vector.iov_base, vector.iov_len, offset + Int64(done))
                }
                if count == 0 { break }
                done += count
            } catch {
                if done == 0 { throw error }
                break
            }
        } while done < bytes.count
        return done
    }

    /// fsync(2) or fdatasync(2).
    package static func synchronize(_ file: BackingFile, dataOnly: Bool) throws(Errno) {
        _ = try Errno.check { dataOnly ? fdatasync(file.descriptor.rawValue) : fsync(file.descriptor.rawValue) }
    }
}
