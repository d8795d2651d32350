package import CFUSE
import CLinux
package import FUSEProtocol
package import FUSEServer
import Glibc
import LinuxSystem
package import SystemPackage

/// What concerns the whole filesystem, and what is small.
extension LoopbackFS {
    package func statfs(_ request: borrowing Request, reply: inout ReplyBuffer) throws(Errno) -> Outcome {
        let inode = try inode(request.node)
        let pin = try inode.pin()
        var status = statvfs()
        _ = try Errno.check { unsafe fstatvfs(pin.descriptor, &status) }
        var out = fuse_statfs_out()
        out.st.blocks = UInt64(status.f_blocks)
        out.st.bfree = UInt64(status.f_bfree)
        out.st.bavail = UInt64(status.f_bavail)
        out.st.files = UInt64(status.f_files)
        out.st.ffree = UInt64(status.f_ffree)
        out.st.bsize = UInt32(truncatingIfNeeded: status.f_bsize)
        out.st.namelen = UInt32(truncatingIfNeeded: status.f_namemax)
        out.st.frsize = UInt32(truncatingIfNeeded: status.f_frsize)
        try reply.append(out)
        return .reply
    }

    package func syncfs(_ request: borrowing Request) throws(Errno) -> Outcome {
        let all = fileSystems.all
        return .deferred(
            DeferredWork { reply in
                do throws(Errno) {
                    for fileSystem in all {
                        // Nothing is left to do for one that was unmounted.
                        guard let use = try? fileSystem.mount.use() else { continue }
                        _ = try Errno.check { clinux_syncfs(use.descriptor) }
                    }
                    reply.succeed()
                } catch {
                    reply.fail(error)
                }
            } orElse: {
                .noMemory
            })
    }

    /// The kernel checks permissions itself (`default_permissions`) and asks no more after this.
    package func access(_ request: borrowing Request, mask: UInt32) throws(Errno) -> Outcome {
        throw .noFunction
    }

    /// Regular files are always ready, so there is never a change to notify of.
    package func poll(
        _ request: borrowing Request, _ arguments: fuse_poll_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        let file = try files.find(arguments.fh)
        var asked = pollfd(fd: file.descriptor, events: Int16(truncatingIfNeeded: arguments.events), revents: 0)
        _ = try Errno.check { unsafe Glibc.poll(&asked, 1, 0) }
        try reply.append(fuse_poll_out(revents: UInt32(UInt16(bitPattern: asked.revents)), padding: 0))
        return .reply
    }
}
