import CFUSE
package import FUSEProtocol
import SystemPackage

/// From a request to the method that handles it.
extension FileSystem {
    package func dispatch(_ request: borrowing Request, reply: inout ReplyBuffer) -> Outcome {
        decode(request, reply: &reply)
    }

    /// Decodes the request's arguments and calls the operation's method. Messages that are too short or have names without
    /// an end fail with EINVAL, opcodes that nobody knows with ENOSYS.
    ///
    /// - Parameter reply: must not share memory with the request.
    /// - Returns: what the transport has to do. Never throws: a failure is an outcome.
    @inline(__always)
    package func decode(_ request: borrowing Request, reply: inout ReplyBuffer) -> Outcome {
        do throws(Errno) {
            return try handle(request, &reply)
        } catch {
            return .failure(error)
        }
    }

    private func handle(_ request: borrowing Request, _ reply: inout ReplyBuffer) throws(Errno) -> Outcome {
        switch request.opcode {
        // The ones that come most often first.
        case .lookup: return try lookup(request, name: try request.name(), reply: &reply)
        case .read: return try read(request, try request.argument(), reply: &reply)
        case .write: return try handleWrite(request, &reply)
        case .getattr: return try getattr(request, try request.argument(), reply: &reply)
        case .open: return try open(request, try request.argument(), reply: &reply)
        case .flush: return try flush(request, try request.argument())
        case .release: return try release(request, try request.argument())
        case .readdir, .readdirplus:
            let plus = request.opcode == .readdirplus
            return try readdir(request, try request.argument(), plus: plus, reply: &reply)
        case .forget, .batchForget: return handleForget(request)
        case .interrupt:
            interrupt(unique: try request.argument(fuse_interrupt_in.self).unique)
            return .noReply
        default: return try handleNames(request, &reply)
        }
    }

    /// Operations on names.
    private func handleNames(_ request: borrowing Request, _ reply: inout ReplyBuffer) throws(Errno) -> Outcome {
        switch request.opcode {
        case .create:
            return try create(request, try request.argument(), name: try request.name(), reply: &reply)
        case .tmpfile: return try tmpfile(request, try request.argument(), reply: &reply)
        case .mknod:
            return try mknod(request, try request.argument(), name: try request.name(), reply: &reply)
        case .mkdir:
            return try mkdir(request, try request.argument(), name: try request.name(), reply: &reply)
        case .symlink:
            let name = try request.name()
            return try symlink(
                request, name: name, target: try request.secondName(after: name), reply: &reply)
        case .unlink: return try unlink(request, name: try request.name())
        case .rmdir: return try rmdir(request, name: try request.name())
        case .rename:
            let name = try request.name()
            let arguments: fuse_rename_in = try request.argument()
            return try rename(
                request, name: name, newParent: arguments.newdir, newName: try request.secondName(after: name), flags: 0
            )
        case .rename2:
            let name = try request.name()
            let arguments: fuse_rename2_in = try request.argument()
            return try rename(
                request, name: name, newParent: arguments.newdir, newName: try request.secondName(after: name),
                flags: arguments.flags)
        case .link:
            let arguments: fuse_link_in = try request.argument()
            return try link(request, oldNode: arguments.oldnodeid, name: try request.name(), reply: &reply)
        case .readlink: return try readlink(request, reply: &reply)
        case .opendir: return try opendir(request, try request.argument(), reply: &reply)
        case .releasedir: return try releasedir(request, try request.argument())
        case .fsyncdir: return try fsyncdir(request, try request.argument())
        default: return try handleInodes(request, &reply)
        }
    }

    /// Operations on inodes and open files, and on the connection.
    private func handleInodes(_ request: borrowing Request, _ reply: inout ReplyBuffer) throws(Errno) -> Outcome {
        switch request.opcode {
        case .setattr: return try setattr(request, try request.argument(), reply: &reply)
        case .statx: return try statx(request, try request.argument(), reply: &reply)
        case .fsync: return try fsync(request, try request.argument())
        case .fallocate: return try fallocate(request, try request.argument())
        case .lseek: return try lseek(request, try request.argument(), reply: &reply)
        case .copyFileRange, .copyFileRange64:
            let extended = request.opcode == .copyFileRange64
            return try copyFileRange(request, try request.argument(), extended: extended, reply: &reply)
        case .setxattr: return try handleSetxattr(request)
        case .getxattr:
            let size = Int(try request.argument(fuse_getxattr_in.self).size)
            return try getxattr(request, name: try request.name(), size: size, reply: &reply)
        case .listxattr:
            let size = Int(try request.argument(fuse_getxattr_in.self).size)
            return try listxattr(request, size: size, reply: &reply)
        case .removexattr: return try removexattr(request, name: try request.name())
        case .getlk: return try getlk(request, try request.argument(), reply: &reply)
        case .setlk: return try setlk(request, try request.argument(), wait: false)
        case .setlkw: return try setlk(request, try request.argument(), wait: true)
        case .ioctl: return try handleIoctl(request, &reply)
        case .poll: return try poll(request, try request.argument(), reply: &reply)
        case .access: return try access(request, mask: try request.argument(fuse_access_in.self).mask)
        case .statfs: return try statfs(request, reply: &reply)
        case .syncfs: return try syncfs(request)
        case .destroy: return .reply
        case .notifyReply: return .noReply
        default: throw .noFunction
        }
    }

    private func handleForget(_ request: borrowing Request) -> Outcome {
        if request.opcode == .forget {
            if let arguments = try? request.argument(fuse_forget_in.self) {
                forget(node: request.node, count: arguments.nlookup)
            }
            return .noReply
        }
        let stride = MemoryLayout<fuse_forget_one>.stride
        let promised = (try? request.argument(fuse_batch_forget_in.self).count) ?? 0
        for index in 0..<min(Int(promised), request.payload.byteCount / stride) {
            let one = unsafe request.payload.unsafeLoadUnaligned(
                fromByteOffset: index * stride, as: fuse_forget_one.self)
            forget(node: one.nodeid, count: one.nlookup)
        }
        return .noReply
    }

    private func handleWrite(_ request: borrowing Request, _ reply: inout ReplyBuffer) throws(Errno) -> Outcome {
        let arguments: fuse_write_in = try request.argument()
        guard Int(arguments.size) == request.payload.byteCount + request.pagesCount else { throw .invalidArgument }
        return try write(request, arguments, reply: &reply)
    }

    private func handleSetxattr(_ request: borrowing Request) throws(Errno) -> Outcome {
        let arguments: fuse_setxattr_in = try request.argument()
        let name = try request.name()
        let value = request.data(after: name)
        guard value.byteCount >= Int(arguments.size) else { throw .invalidArgument }
        return try setxattr(
            request, arguments, name: name, value: value.extracting(first: Int(arguments.size)))
    }

    private func handleIoctl(_ request: borrowing Request, _ reply: inout ReplyBuffer) throws(Errno) -> Outcome {
        let arguments: fuse_ioctl_in = try request.argument()
        guard request.payload.byteCount >= Int(arguments.in_size) else { throw .invalidArgument }
        return try ioctl(
            request, arguments, input: request.payload.extracting(first: Int(arguments.in_size)), reply: &reply)
    }
}
