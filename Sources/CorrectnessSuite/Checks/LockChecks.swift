import BenchCore
import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// Record locks, open file description locks and flock(2), between processes.
let lockChecks = CheckGroup(
    "locks",
    [
        .init("record-lock-excludes", "fcntl(2): F_SETLK, EAGAIN") { _ in
            try FS.create("f", [UInt8](repeating: 0, count: 100))
            let file = try File("f", O_RDWR)
            try file.lock(F_SETLK, F_WRLCK, 10, 20)
            try Child("other process") {
                let other = try File("f", O_RDWR)
                try fails(.resourceTemporarilyUnavailable, .permissionDenied, what: "same range") {
                    try other.lock(F_SETLK, F_WRLCK, 10, 20)
                }
                try fails(.resourceTemporarilyUnavailable, .permissionDenied, what: "overlapping range") {
                    try other.lock(F_SETLK, F_RDLCK, 29, 5)
                }
                try other.lock(F_SETLK, F_WRLCK, 0, 10)
                try other.lock(F_SETLK, F_WRLCK, 30, 0)
            }.join()
        },
        .init("record-locks-share-reading", "fcntl(2): F_RDLCK") { _ in
            try FS.create("f", "x")
            let file = try File("f", O_RDWR)
            try file.lock(F_SETLK, F_RDLCK)
            try Child("other process") {
                let other = try File("f", O_RDWR)
                try other.lock(F_SETLK, F_RDLCK)
                try fails(.resourceTemporarilyUnavailable, .permissionDenied, what: "upgrade under another's read lock")
                { try other.lock(F_SETLK, F_WRLCK) }
            }.join()
            try file.lock(F_SETLK, F_WRLCK)
        },
        .init("record-lock-names-its-holder", "fcntl(2): F_GETLK") { _ in
            try FS.create("f", "x")
            let file = try File("f", O_RDWR)
            try file.lock(F_SETLK, F_WRLCK, 5, 10)
            let holder = getpid()
            try Child("other process") {
                let other = try File("f", O_RDWR)
                let found = try other.blocker(of: F_WRLCK, 0, 0)
                try expect("type", CInt(found.l_type), is: F_WRLCK, path: "f")
                try expect("start", found.l_start, is: 5, path: "f")
                try expect("length", found.l_len, is: 10, path: "f")
                try expect("process", found.l_pid, is: holder, path: "f")
                try expect(
                    "type for a free range", CInt(try other.blocker(of: F_WRLCK, 100, 5).l_type), is: F_UNLCK, path: "f"
                )
            }.join()
        },
        .init("record-lock-split-and-merged", "fcntl(2): unlocking a part") { _ in
            try FS.create("f", "x")
            let file = try File("f", O_RDWR)
            try file.lock(F_SETLK, F_WRLCK, 0, 100)
            try file.lock(F_SETLK, F_UNLCK, 40, 20)
            try Child("other process") {
                let other = try File("f", O_RDWR)
                try other.lock(F_SETLK, F_WRLCK, 40, 20)
                for start: Int64 in [39, 60] {
                    try fails(.resourceTemporarilyUnavailable, .permissionDenied, what: "byte \(start)") {
                        try other.lock(F_SETLK, F_WRLCK, start, 1)
                    }
                }
            }.join()
        },
        .init("record-lock-ends-with-close", "fcntl(2): any close releases all") { _ in
            try FS.create("f", "x")
            let file = try File("f", O_RDWR)
            try file.lock(F_SETLK, F_WRLCK)
            let second = try File("f", O_RDONLY)
            try second.close()
            try Child("other process") { try File("f", O_RDWR).lock(F_SETLK, F_WRLCK) }.join()
        },
        .init("record-lock-ends-with-its-process", "fcntl(2): released at exit") { _ in
            try FS.create("f", "x")
            let held = try Gate()
            let child = try Child("holder") {
                let file = try File("f", O_RDWR)
                try file.lock(F_SETLK, F_WRLCK)
                held.open()
                sleep(1000)
            }
            try child.reach(held)
            let file = try File("f", O_RDWR)
            try fails(.resourceTemporarilyUnavailable, .permissionDenied, what: "while the holder lives") {
                try file.lock(F_SETLK, F_WRLCK)
            }
            child.signal(SIGKILL)
            try expect("end of the holder", child.wait(), is: -SIGKILL)
            try file.lock(F_SETLKW, F_WRLCK)
        },
        .init("record-lock-is-not-inherited", "fork(2): no record locks for the child") { _ in
            try FS.create("f", "x")
            let file = try File("f", O_RDWR)
            try file.lock(F_SETLK, F_WRLCK)
            try Child("child") {
                try fails(.resourceTemporarilyUnavailable, .permissionDenied, what: "through the inherited descriptor")
                { try file.lock(F_SETLK, F_WRLCK) }
            }.join()
            try Child("another child") {
                try fails(.resourceTemporarilyUnavailable, .permissionDenied, what: "after a child ended") {
                    try File("f", O_RDWR).lock(F_SETLK, F_WRLCK)
                }
            }.join()
        },
        .init("record-lock-is-waited-for", "fcntl(2): F_SETLKW") { _ in
            try FS.create("f", "x")
            let file = try File("f", O_RDWR)
            try file.lock(F_SETLK, F_WRLCK)
            let order = try SharedMemory(4096)
            let ready = try Gate()
            let child = try Child("waiter") {
                let other = try File("f", O_RDWR)
                ready.open()
                try other.lock(F_SETLKW, F_WRLCK)
                try expect("the lock came after its release", order.bytes[0], is: 1)
            }
            try child.reach(ready)
            usleep(100_000)
            order.bytes[0] = 1
            try file.lock(F_SETLK, F_UNLCK)
            try child.join()
        },
        .init("waiting-for-a-lock-is-interrupted", "fcntl(2): EINTR") { _ in
            try FS.create("f", "x")
            let file = try File("f", O_RDWR)
            try file.lock(F_SETLK, F_WRLCK)
            let ready = try Gate()
            let child = try Child("waiter") {
                let other = try File("f", O_RDWR)
                var action = sigaction()
                action.__sigaction_handler.sa_handler = { _ in }
                sigaction(SIGUSR1, &action, nil)
                var lock = RecordLock()
                lock.l_type = Int16(F_WRLCK)
                ready.open()
                let result = clinux_fcntl_lock(other.descriptor, F_SETLKW, &lock)
                try expect("result of a wait that a signal ended", [result, errno], is: [-1, EINTR], path: "f")
            }
            try child.reach(ready)
            for _ in 0..<20 {
                usleep(50_000)
                child.signal(SIGUSR1)
            }
            // Who is not told of signals waits until the lock is there.
            let isInterrupted = child.ends(within: 5)
            try file.lock(F_SETLK, F_UNLCK)
            try expect(isInterrupted, "a wait for a lock goes on after 20 signals", path: "f")
            try child.join()
            try Child("afterwards") { try File("f", O_RDWR).lock(F_SETLK, F_WRLCK) }.join()
        },
        .init("waiting-for-a-lock-is-killed", "fcntl(2), signal(7)") { _ in
            try FS.create("f", "x")
            let file = try File("f", O_RDWR)
            try file.lock(F_SETLK, F_WRLCK)
            let ready = try Gate()
            let child = try Child("waiter") {
                let other = try File("f", O_RDWR)
                ready.open()
                try other.lock(F_SETLKW, F_WRLCK)
            }
            try child.reach(ready)
            usleep(50_000)
            child.signal(SIGKILL)
            try expect("end of the waiter", child.wait(), is: -SIGKILL)
            try file.lock(F_SETLK, F_UNLCK)
            try Child("afterwards") { try File("f", O_RDWR).lock(F_SETLK, F_WRLCK) }.join()
        },
        .init("record-lock-errors", "fcntl(2): EBADF, EINVAL") { _ in
            try FS.create("f", "x")
            let reader = try File("f", O_RDONLY)
            let writer = try File("f", O_WRONLY)
            try fails(.badFileDescriptor, what: "write lock through a read-only descriptor") {
                try reader.lock(F_SETLK, F_WRLCK)
            }
            try fails(.badFileDescriptor, what: "read lock through a write-only descriptor") {
                try writer.lock(F_SETLK, F_RDLCK)
            }
            try fails(.invalidArgument, what: "a range before the start") { try writer.lock(F_SETLK, F_WRLCK, -5, 2) }
            try writer.lock(F_SETLK, F_WRLCK, 1 << 40, 1 << 40)
            try writer.lock(F_SETLK, F_WRLCK, .max, 1)
        },
        .init("record-locks-hand-over", "fcntl(2): mutual exclusion", deadline: 60) { context in
            try FS.create("f", [0, 0, 0, 0])
            try context.inParallel(4) { _ in
                let file = try File("f", O_RDWR)
                for _ in 0..<50 {
                    try file.lock(F_SETLKW, F_WRLCK)
                    let value = try file.read(4, at: 0)
                    let next = (UInt32(value[0]) | UInt32(value[1]) << 8) + 1
                    try file.write([UInt8(next & 255), UInt8(next >> 8), 0, 0], at: 0)
                    try file.lock(F_SETLK, F_UNLCK)
                }
            }
            let value = try FS.contents("f")
            try expect("counter after 4 × 50 locked increments", Int(value[0]) | Int(value[1]) << 8, is: 200, path: "f")
        },
        .init("description-locks", "fcntl(2): F_OFD_SETLK") { _ in
            try FS.create("f", "x")
            let one = try File("f", O_RDWR)
            let other = try File("f", O_RDWR)
            try one.lock(CLINUX_F_OFD_SETLK, F_WRLCK, 0, 10)
            try fails(.resourceTemporarilyUnavailable, what: "another description in the same process") {
                try other.lock(CLINUX_F_OFD_SETLK, F_WRLCK, 5, 1)
            }
            try other.lock(CLINUX_F_OFD_SETLK, F_WRLCK, 10, 10)
            let third = try File("f", O_RDWR)
            try third.close()
            try fails(.resourceTemporarilyUnavailable, what: "after a third one was closed") {
                try other.lock(CLINUX_F_OFD_SETLK, F_WRLCK, 5, 1)
            }
            try one.close()
            try soonAfterClose { try other.lock(CLINUX_F_OFD_SETLK, F_WRLCK, 5, 1) }
        },
        .init("flock-excludes", "flock(2): LOCK_EX, LOCK_SH, EWOULDBLOCK") { _ in
            try FS.create("f", "x")
            let file = try File("f", O_RDONLY)
            try file.flock(LOCK_EX)
            try Child("other process") {
                let other = try File("f", O_RDONLY)
                try fails(.resourceTemporarilyUnavailable, what: "exclusive under exclusive") {
                    try other.flock(LOCK_EX | LOCK_NB)
                }
                try fails(.resourceTemporarilyUnavailable, what: "shared under exclusive") {
                    try other.flock(LOCK_SH | LOCK_NB)
                }
            }.join()
            try file.flock(LOCK_SH)
            try Child("other process") {
                let other = try File("f", O_RDONLY)
                try other.flock(LOCK_SH | LOCK_NB)
                try fails(.resourceTemporarilyUnavailable, what: "exclusive under shared") {
                    try other.flock(LOCK_EX | LOCK_NB)
                }
            }.join()
            try file.flock(LOCK_UN)
            try Child("other process") { try File("f", O_RDONLY).flock(LOCK_EX | LOCK_NB) }.join()
        },
        .init("flock-belongs-to-the-description", "flock(2): shared by dup and fork") { _ in
            try FS.create("f", "x")
            let one = try File("f", O_RDONLY)
            let other = try File("f", O_RDONLY)
            try one.flock(LOCK_EX)
            try fails(.resourceTemporarilyUnavailable, what: "another description in the same process") {
                try other.flock(LOCK_EX | LOCK_NB)
            }
            try Child("child") { try one.flock(LOCK_EX | LOCK_NB) }.join()
            try fails(.resourceTemporarilyUnavailable, what: "after a child with the same description ended") {
                try other.flock(LOCK_EX | LOCK_NB)
            }
            try one.close()
            try soonAfterClose { try other.flock(LOCK_EX | LOCK_NB) }
        },
        .init("flock-is-waited-for", "flock(2)", isAlone: true) { _ in
            try FS.create("f", "x")
            let file = try File("f", O_RDONLY)
            try file.flock(LOCK_EX)
            let order = try SharedMemory(4096)
            let ready = try Gate()
            let child = try Child("waiter") {
                let other = try File("f", O_RDONLY)
                ready.open()
                try other.flock(LOCK_EX)
                try expect("the lock came after its release", order.bytes[0], is: 1)
            }
            try child.reach(ready)
            usleep(100_000)
            order.bytes[0] = 1
            try file.flock(LOCK_UN)
            try child.join()
        },
        .init("flock-ends-with-its-process", "flock(2)") { _ in
            try FS.create("f", "x")
            let held = try Gate()
            let child = try Child("holder") {
                let file = try File("f", O_RDONLY)
                try file.flock(LOCK_EX)
                held.open()
                sleep(1000)
            }
            try child.reach(held)
            child.signal(SIGKILL)
            child.wait()
            try File("f", O_RDONLY).flock(LOCK_EX)
        },
        .init("locks-of-two-kinds", "flock(2), NOTES: independent of fcntl(2)") { _ in
            try FS.create("f", "x")
            let file = try File("f", O_RDWR)
            try file.flock(LOCK_EX)
            try Child("other process") { try File("f", O_RDWR).lock(F_SETLK, F_WRLCK) }.join()
        },
    ])

/// Tries to lock for some seconds. FUSE tells its daemon of a close after close(2) has returned: a lock may outlive it by a
/// moment.
private func soonAfterClose(_ lock: () throws -> Void) throws {
    let end = Deadline(after: .seconds(10))
    while true {
        do {
            return try lock()
        } catch let failure {
            if end.hasPassed { throw failure }
            usleep(10_000)
        }
    }
}
