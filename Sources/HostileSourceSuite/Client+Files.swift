import CBench
import CLinux
import Glibc
import LinuxSystem
import BenchCore

/// Open files.
extension Client {
    /// Opens a name with O_CREAT: one that changes at that very moment, or one that the kernel may hold to be absent, since it was
    /// looked up a moment before.
    func lookThenCreate() {
        if activity.isStorm || random.isTurn(2) { return openFile(path(of: Arena.hotPath), also: O_CREAT) }
        let path = path()
        var status = stat()
        _ = lstat(path, &status)
        if random.isTurn(2) { usleep(UInt32(random.next() % 2000)) }
        openFile(path, also: O_CREAT | (random.isTurn(4) ? O_TRUNC : 0))
    }

    /// Opens a file in some way, and does with it what that allows.
    func openFile(_ path: String, also wanted: CInt = 0) {
        let access = [O_RDONLY, O_WRONLY, O_RDWR, O_RDWR].randomElement(using: &random)!
        var flags = access | O_CLOEXEC | wanted
        if random.isTurn(2) { flags |= O_CREAT }
        if random.isTurn(4) { flags |= O_EXCL }
        if random.isTurn(6) { flags |= O_TRUNC }
        if random.isTurn(6) { flags |= O_APPEND }
        if random.isTurn(2) { flags |= O_NONBLOCK }
        if random.isTurn(8) { flags |= O_NOFOLLOW }
        if actor.isRoot {
            flags = random.isTurn(2) ? O_RDONLY : access | O_CREAT | O_EXCL
            flags |= O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK
        }
        let file = clinux_openat(AT_FDCWD, path, flags, random.isTurn(2) ? 0o666 : 0o644)
        guard file >= 0 else { return }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(file)
            return
        }
        let isNew = flags & (O_CREAT | O_EXCL) == O_CREAT | O_EXCL
        // The adversary gives away what is root's, and nothing of anybody else's.
        if isNew && !actor.isRoot && !(status.st_uid == actor.user && Actor.mayOwn(status.st_uid, status.st_gid)) {
            journal.record(
                .createdIsMine, "\(path), made by \(actor.user):\(actor.group), is \(status.st_uid):\(status.st_gid)")
        }
        if access != O_WRONLY || actor.isRoot { read(file, "reading \(path) (open flags 0\(String(flags, radix: 8)))") }
        if !actor.isRoot || isNew { write(file) }
        let slot = Int(random.next() % UInt64(slots.count))
        // Root's client keeps only what it has made: it writes to its slots.
        guard random.isTurn(3), !actor.isRoot || isNew else {
            close(file)
            return
        }
        if slots[slot] >= 0 { close(slots[slot]) }
        slots[slot] = file
    }

    func read(_ file: CInt, _ what: @autoclosure () -> String) {
        let offset = random.isTurn(2) ? 0 : Int(random.next() % 8192)
        judge(pread(file, buffer.baseAddress, 4096, offset), .privateFileUnread, what())
    }

    func write(_ file: CInt) {
        let count = Int(1 + random.next() % 6000)
        fill(count)
        pwrite(file, buffer.baseAddress, count, Int(random.next() % 8192))
        if random.isTurn(4) { ftruncate(file, Int(random.next() % 16384)) }
        if random.isTurn(16) { fsync(file) }
    }

    func onSlot(_ operation: Operation) {
        let index = Int(random.next() % UInt64(slots.count))
        let file = slots[index]
        guard file >= 0 else { return }
        switch operation {
        case .readSlot: read(file, "reading a file that was opened some time ago")
        case .writeSlot: write(file)
        case .mapSlot: map(file)
        case .copySlot:
            let other = slots.randomElement(using: &random)!
            var from: Int64 = 0
            var to = Int64(random.next() % 4096)
            _ = clinux_copy_file_range(file, &from, other, &to, 4096, 0)
            read(other, "reading what was copied")
        case .lockSlot:
            // Blocks at most as long as others hold theirs: one operation.
            if clinux_flock(file, random.isTurn(2) ? LOCK_EX : LOCK_SH | LOCK_NB) == 0 {
                read(file, "reading a locked file")
                _ = clinux_flock(file, LOCK_UN)
            }
        default:
            close(file)
            slots[index] = -1
        }
    }

    /// Reads or writes through a shared mapping.
    private func map(_ file: CInt) {
        let isWritable = random.isTurn(2)
        guard let memory = cbench_map(file, 0, 8192, isWritable ? 1 : 0, 1) else { return }
        let page = memory + Int(random.next() % 2) * 4096
        if isWritable {
            fill(4096)
            _ = Glibc.write(pipe[1], buffer.baseAddress, 4096)
            _ = Glibc.read(pipe[0], page, 4096)
        }
        // What could not be stored is still in there.
        while Glibc.read(pipe[0], buffer.baseAddress, 4096) > 0 {}
        if Glibc.write(pipe[1], page, 4096) > 0 {
            judge(Glibc.read(pipe[0], buffer.baseAddress, 4096), .privateFileUnread, "reading a mapping")
        }
        munmap(memory, 8192)
    }
}
