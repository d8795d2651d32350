package import CFUSE
import CLinux
package import FUSEProtocol
package import FUSEServer
import Glibc
import LinuxSystem
package import SystemPackage

/// Open directories.
extension LoopbackFS {
    package func opendir(
        _ request: borrowing Request, _ arguments: fuse_open_in, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        let inode = try directory(request.node)
        let pin = try inode.pin()
        let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC
        let descriptor = try makingRoom { () throws(Errno) in
            try Errno.check { unsafe clinux_openat(pin.descriptor, ".", flags, 0) }
        }
        let backing = BackingFile(FileDescriptor(rawValue: descriptor), isDirect: false)
        var out = cfuse_open_out()
        out.fh = directories.insert(OpenDirectory(inode: inode, backing: backing))
        if configuration.cache == .always {
            out.open_flags = OpenReplyFlags([.keepCache, .cacheDirectory]).rawValue
        }
        try reply.append(out)
        return .reply
    }

    package func readdir(
        _ request: borrowing Request, _ arguments: fuse_read_in, plus: Bool, reply: inout ReplyBuffer
    ) throws(Errno) -> Outcome {
        let directory = try directories.find(arguments.fh)
        let limit = Int(arguments.size)
        let descriptor = directory.backing.descriptor.rawValue
        try directory.withReader { reader throws(Errno) in
            try reader.seek(to: arguments.offset, in: descriptor)
            while true {
                let entry: DirectoryReader.Entry?
                do throws(Errno) {
                    entry = try reader.peek(descriptor)
                } catch {
                    // What was read before the error is the reply; the next call meets the error again.
                    if reply.count > 0 { return }
                    throw error
                }
                guard let entry, append(entry, of: directory, plus: plus, limit: limit, to: &reply) else { return }
                reader.take(entry)
            }
        }
        return .reply
    }

    /// Appends one entry.
    ///
    /// - Returns: false if it does not fit any more.
    private func append(
        _ entry: DirectoryReader.Entry, of directory: OpenDirectory, plus: Bool, limit: Int, to reply: inout ReplyBuffer
    ) -> Bool {
        let name = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(entry.name), byteCount: entry.nameLength)
        let identity = FileIdentity(fileSystem: directory.inode.fileSystem.index, inode: entry.inode)
        let isSpecial =
            unsafe entry.name[0] == 0x2e && (entry.nameLength == 1 || entry.nameLength == 2 && entry.name[1] == 0x2e)
        // Nothing above the source is told of.
        let isAbove = isSpecial && entry.nameLength == 2 && directory.inode === root
        let number = isAbove ? root.number : NodeID.visibleNumber(identity)
        guard plus else {
            return reply.appendEntry(
                inode: number, nextOffset: entry.nextOffset, type: UInt32(entry.type), name: name, limit: limit)
        }
        guard reply.count + ReplyBuffer.entryPlusSize(nameLength: entry.nameLength) <= limit,
            ReplyBuffer.entryPlusSize(nameLength: entry.nameLength) <= reply.remaining
        else { return false }
        var out = fuse_entry_out()
        if !isSpecial {
            let likelyKnown = inodes.latest(identity) != nil
            // An entry that has just gone, or that cannot be looked up, is listed without attributes.
            if let (inode, status) = unsafe try? find(
                entry.name, in: directory.inode, directory.backing.descriptor.rawValue, likelyKnown: likelyKnown)
            {
                out = self.entry(inode, status)
            }
        }
        return reply.appendEntryPlus(
            out, inode: number, nextOffset: entry.nextOffset, type: UInt32(entry.type), name: name, limit: limit)
    }

    package func releasedir(_ request: borrowing Request, _ arguments: fuse_release_in) throws(Errno) -> Outcome {
        _ = try directories.remove(arguments.fh)
        return .reply
    }

    package func fsyncdir(_ request: borrowing Request, _ arguments: fuse_fsync_in) throws(Errno) -> Outcome {
        let directory = try directories.find(arguments.fh)
        return .fsync(directory.backing, dataOnly: arguments.fsync_flags & UInt32(FUSE_FSYNC_FDATASYNC) != 0)
    }
}
