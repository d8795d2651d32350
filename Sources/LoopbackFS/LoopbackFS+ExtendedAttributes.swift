package import CFUSE
import CLinux
package import FUSEProtocol
package import FUSEServer
import Glibc
import LinuxSystem
package import SystemPackage

/// Extended attributes, ACLs among them (xattr(7)).
///
/// The system calls want a path or a descriptor that is open; the path is the descriptor's number, relative to the
/// thread's working directory (``Credentials/prepareThread()``).
extension LoopbackFS {
    package func setxattr(
        _ request: borrowing Request, _ arguments: fuse_setxattr_in, name: Name, value: RawSpan
    ) throws(Errno) -> Outcome {
        try checkAttribute(name)
        guard value.byteCount >= Int(arguments.size) else { throw .invalidArgument }
        let inode = try inode(request.node)
        let pin = try inode.pin()
        let caller = Caller(request)
        try credentials.prepareThread()
        try unsafe name.withCString { name throws(Errno) in
            try unsafe DescriptorPath(pin.descriptor).withCString { path throws(Errno) in
                try unsafe value.withUnsafeBytes { value throws(Errno) in
                    func set() throws(Errno) {
                        _ = try Errno.check {
                            unsafe CLinux.setxattr(
                                path, name, value.baseAddress, Int(arguments.size), CInt(bitPattern: arguments.flags))
                        }
                    }
                    // The caller is not in the file's group, so the new ACL takes set-group-id with it.
                    if arguments.setxattr_flags & UInt32(FUSE_SETXATTR_ACL_KILL_SGID) != 0 {
                        try credentials.droppingSetID(as: caller) { () throws(Errno) in try set() }
                    } else {
                        try set()
                    }
                }
            }
        }
        return .reply
    }

    package func getxattr(
        _ request: borrowing Request, name: Name, size: Int, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        try checkAttribute(name)
        let inode = try inode(request.node)
        let pin = try inode.pin()
        try credentials.prepareThread()
        try unsafe replyAttribute(size, &reply) { buffer, room throws(Errno) in
            try unsafe name.withCString { name throws(Errno) in
                try unsafe DescriptorPath(pin.descriptor).withCString { path throws(Errno) in
                    try Errno.check { unsafe CLinux.getxattr(path, name, buffer, room) }
                }
            }
        }
        return .reply
    }

    package func listxattr(
        _ request: borrowing Request, size: Int, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        guard configuration.extendedAttributes else { throw .notSupported }
        let inode = try inode(request.node)
        let pin = try inode.pin()
        let caller = Caller(request)
        try credentials.prepareThread()
        try unsafe DescriptorPath(pin.descriptor).withCString { path throws(Errno) in
            func list(_ buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
                let count = try Errno.check {
                    unsafe CLinux.listxattr(path, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), buffer.count)
                }
                guard buffer.count > 0 else { return count }
                return unsafe removeHiddenNames(
                    from: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]), for: caller)
            }
            if size == 0 {
                if try unsafe list(UnsafeMutableRawBufferPointer(start: nil, count: 0)) == 0 {
                    try reply.append(fuse_getxattr_out())
                    return
                }
            } else {
                do throws(Errno) {
                    try unsafe reply.append(atMost: size) { buffer throws(Errno) in try unsafe list(buffer) }
                    return
                } catch .outOfRange {
                    // What is left once the hidden ones are gone may fit.
                }
            }
            let names = UnsafeMutableRawBufferPointer.allocate(byteCount: LoopbackFS.longestList, alignment: 1)
            defer { unsafe names.deallocate() }
            let count = try unsafe list(names)
            if size == 0 {
                try reply.append(fuse_getxattr_out(size: UInt32(count), padding: 0))
            } else {
                guard count <= size else { throw .outOfRange }
                try unsafe reply.append(RawSpan(_unsafeStart: UnsafeRawPointer(names.baseAddress!), byteCount: count))
            }
        }
        return .reply
    }

    /// `XATTR_LIST_MAX`.
    private static let longestList = 65536

    /// Takes out the names of attributes that the caller cannot read; returns the bytes that are left of the list.
    ///
    /// The daemon is listed names of `trusted.*`, which are for those only who have CAP_SYS_ADMIN.
    private func removeHiddenNames(from names: UnsafeMutableRawBufferPointer, for caller: Caller) -> Int {
        var maySeeTrusted: Bool?
        var kept = 0
        var start = 0
        while start < names.count {
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: names[start...])
            let length = unsafe (rest.firstIndex(of: 0) ?? rest.count - 1) + 1
            let name = unsafe UnsafeMutableRawBufferPointer(rebasing: rest[..<length])
            let isHidden: Bool
            if unsafe name.starts(with: "trusted.".utf8) {
                maySeeTrusted = maySeeTrusted ?? credentials.has(.sysAdmin, caller)
                isHidden = maySeeTrusted == false
            } else {
                isHidden = unsafe !configuration.posixACL && name.starts(with: "system.posix_acl_".utf8)
            }
            if !isHidden {
                if kept < start { unsafe memmove(names.baseAddress! + kept, name.baseAddress!, length) }
                kept += length
            }
            start += length
        }
        return kept
    }

    package func removexattr(_ request: borrowing Request, name: Name) throws(Errno) -> Outcome {
        try checkAttribute(name)
        let inode = try inode(request.node)
        let pin = try inode.pin()
        try credentials.prepareThread()
        try unsafe name.withCString { name throws(Errno) in
            try unsafe DescriptorPath(pin.descriptor).withCString { path throws(Errno) in
                _ = try Errno.check { unsafe CLinux.removexattr(path, name) }
            }
        }
        return .reply
    }

    /// Replies a value, or for `size` 0 its length.
    private func replyAttribute(
        _ size: Int, _ reply: inout ReplyBuffer,
        _ body: (UnsafeMutableRawPointer?, Int) throws(Errno) -> Int
    ) throws(Errno) {
        if size == 0 {
            let count = try body(nil, 0)
            try reply.append(fuse_getxattr_out(size: UInt32(count), padding: 0))
            return
        }
        try unsafe reply.append(atMost: size) { buffer throws(Errno) in
            try unsafe body(buffer.baseAddress, buffer.count)
        }
    }

    /// - Throws: EOPNOTSUPP for what the configuration leaves out.
    private func checkAttribute(_ name: Name) throws(Errno) {
        guard configuration.extendedAttributes else { throw .notSupported }
        if !configuration.posixACL
            && (name.equals("system.posix_acl_access") || name.equals("system.posix_acl_default"))
        {
            throw .notSupported
        }
    }
}
