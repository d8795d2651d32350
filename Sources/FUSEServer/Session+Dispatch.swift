import CFUSE
public import FUSEProtocol
import SystemPackage

extension Session {
    /// Has the filesystem handle a request that a transport took.
    ///
    /// - Parameter reply: must not share memory with the request.
    /// - Returns: what the transport has to do. Never throws: a failure is an outcome.
    public func dispatch(_ request: borrowing Request, reply: inout ReplyBuffer) -> Outcome {
        do throws(Errno) {
            return try handle(request, &reply)
        } catch {
            return .failure(error)
        }
    }

    private func handle(_ request: borrowing Request, _ reply: inout ReplyBuffer) throws(Errno) -> Outcome {
        switch request.opcode {
        // The ones that come most often first.
        case .lookup: return try fileSystem.lookup(request, name: try request.name(), reply: &reply)
        case .read: return try fileSystem.read(request, try request.argument())
        case .write: return try write(request, &reply)
        case .getattr: return try fileSystem.getattr(request, try request.argument(), reply: &reply)
        case .open: return try fileSystem.open(request, try request.argument(), reply: &reply)
        case .flush: return try fileSystem.flush(request, try request.argument())
        case .release: return try fileSystem.release(request, try request.argument())
        case .readdir, .readdirplus:
            let plus = request.opcode == .readdirplus
            return try fileSystem.readdir(request, try request.argument(), plus: plus, reply: &reply)
        case .forget, .batchForget: return forget(request)
        case .interrupt:
            fileSystem.interrupt(unique: try request.argument(fuse_interrupt_in.self).unique)
            return .noReply
        default: return try handleNames(request, &reply)
        }
    }

    /// Operations on names.
    private func handleNames(_ request: borrowing Request, _ reply: inout ReplyBuffer) throws(Errno) -> Outcome {
        switch request.opcode {
        case .create:
            return try fileSystem.create(request, try request.argument(), name: try request.name(), reply: &reply)
        case .tmpfile: return try fileSystem.tmpfile(request, try request.argument(), reply: &reply)
        case .mknod:
            return try fileSystem.mknod(request, try request.argument(), name: try request.name(), reply: &reply)
        case .mkdir:
            return try fileSystem.mkdir(request, try request.argument(), name: try request.name(), reply: &reply)
        case .symlink:
            let name = try request.name()
            return try fileSystem.symlink(
                request, name: name, target: try request.secondName(after: name), reply: &reply)
        case .unlink: return try fileSystem.unlink(request, name: try request.name())
        case .rmdir: return try fileSystem.rmdir(request, name: try request.name())
        case .rename:
            let name = try request.name()
            let arguments: fuse_rename_in = try request.argument()
            return try fileSystem.rename(
                request, name: name, newParent: arguments.newdir, newName: try request.secondName(after: name), flags: 0)
        case .rename2:
            let name = try request.name()
            let arguments: fuse_rename2_in = try request.argument()
            return try fileSystem.rename(
                request, name: name, newParent: arguments.newdir, newName: try request.secondName(after: name),
                flags: arguments.flags)
        case .link:
            let arguments: fuse_link_in = try request.argument()
            return try fileSystem.link(request, oldNode: arguments.oldnodeid, name: try request.name(), reply: &reply)
        case .readlink: return try fileSystem.readlink(request, reply: &reply)
        case .opendir: return try fileSystem.opendir(request, try request.argument(), reply: &reply)
        case .releasedir: return try fileSystem.releasedir(request, try request.argument())
        case .fsyncdir: return try fileSystem.fsyncdir(request, try request.argument())
        default: return try handleInodes(request, &reply)
        }
    }

    /// Operations on inodes and open files, and on the connection.
    private func handleInodes(_ request: borrowing Request, _ reply: inout ReplyBuffer) throws(Errno) -> Outcome {
        switch request.opcode {
        case .setattr: return try fileSystem.setattr(request, try request.argument(), reply: &reply)
        case .statx: return try fileSystem.statx(request, try request.argument(), reply: &reply)
        case .fsync: return try fileSystem.fsync(request, try request.argument())
        case .fallocate: return try fileSystem.fallocate(request, try request.argument())
        case .lseek: return try fileSystem.lseek(request, try request.argument(), reply: &reply)
        case .copyFileRange, .copyFileRange64:
            let extended = request.opcode == .copyFileRange64
            return try fileSystem.copyFileRange(request, try request.argument(), extended: extended, reply: &reply)
        case .setxattr: return try setxattr(request)
        case .getxattr:
            let size = Int(try request.argument(fuse_getxattr_in.self).size)
            return try fileSystem.getxattr(request, name: try request.name(), size: size, reply: &reply)
        case .listxattr:
            let size = Int(try request.argument(fuse_getxattr_in.self).size)
            return try fileSystem.listxattr(request, size: size, reply: &reply)
        case .removexattr: return try fileSystem.removexattr(request, name: try request.name())
        case .getlk: return try fileSystem.getlk(request, try request.argument(), reply: &reply)
        case .setlk: return try fileSystem.setlk(request, try request.argument(), wait: false)
        case .setlkw: return try fileSystem.setlk(request, try request.argument(), wait: true)
        case .ioctl: return try ioctl(request, &reply)
        case .poll: return try fileSystem.poll(request, try request.argument(), reply: &reply)
        case .access: return try fileSystem.access(request, mask: try request.argument(fuse_access_in.self).mask)
        case .statfs: return try fileSystem.statfs(request, reply: &reply)
        case .syncfs: return try fileSystem.syncfs(request)
        case .destroy: return .reply
        default: throw .noFunction
        }
    }

    private func forget(_ request: borrowing Request) -> Outcome {
        if request.opcode == .forget {
            if let arguments = try? request.argument(fuse_forget_in.self) {
                fileSystem.forget(node: request.node, count: arguments.nlookup)
            }
            return .noReply
        }
        let stride = MemoryLayout<fuse_forget_one>.stride
        let promised = (try? request.argument(fuse_batch_forget_in.self).count) ?? 0
        for index in 0..<min(Int(promised), request.payload.byteCount / stride) {
            let one = request.payload.unsafeLoadUnaligned(fromByteOffset: index * stride, as: fuse_forget_one.self)
            fileSystem.forget(node: one.nodeid, count: one.nlookup)
        }
        return .noReply
    }

    private func write(_ request: borrowing Request, _ reply: inout ReplyBuffer) throws(Errno) -> Outcome {
        let arguments: fuse_write_in = try request.argument()
        guard Int(arguments.size) == request.payload.byteCount else { throw .invalidArgument }
        return try fileSystem.write(request, arguments, reply: &reply)
    }

    private func setxattr(_ request: borrowing Request) throws(Errno) -> Outcome {
        let arguments: fuse_setxattr_in = try request.argument()
        let name = try request.name()
        let value = request.data(after: name)
        guard value.byteCount >= Int(arguments.size) else { throw .invalidArgument }
        return try fileSystem.setxattr(
            request, arguments, name: name, value: value.extracting(first: Int(arguments.size)))
    }

    private func ioctl(_ request: borrowing Request, _ reply: inout ReplyBuffer) throws(Errno) -> Outcome {
        let arguments: fuse_ioctl_in = try request.argument()
        guard request.payload.byteCount >= Int(arguments.in_size) else { throw .invalidArgument }
        return try fileSystem.ioctl(
            request, arguments, input: request.payload.extracting(first: Int(arguments.in_size)), reply: &reply)
    }
}
