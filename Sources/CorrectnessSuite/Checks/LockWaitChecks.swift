import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// Locks that are waited for, and locks whose end comes late.
let lockWaitChecks = CheckGroup(
    "lock-waits",
    [
        .init("waiters-for-flock-hold-up-nobody", "flock(2)", deadline: 90, isAlone: true) { context in
            try LockCrowd(kind: .flock, context: context).check()
        },
        .init("waiters-for-record-lock-hold-up-nobody", "fcntl(2): F_SETLKW", deadline: 90, isAlone: true) { context in
            try LockCrowd(kind: .record, context: context).check()
        },
        .init("record-locks-in-a-circle", "fcntl(2): EDEADLK", isAlone: true) { _ in
            try FS.create("f", "xyz")
            let (turns, waiting) = (try (0..<3).map { _ in try Gate() }, try Gate())
            // Each holds a byte and waits for the next one's, and the last for the first one's.
            let others = try (0..<2).map { number in
                try Child("process \(number)") {
                    let file = try File("f", O_RDWR)
                    try file.lock(F_SETLK, F_WRLCK, Int64(number), 1)
                    waiting.open()
                    try turns[number].pass()
                    waiting.open()
                    try file.lock(F_SETLKW, F_WRLCK, Int64(number) + 1, 1)
                }
            }
            for other in others { try other.reach(waiting) }
            let last = try Child("the last") {
                let file = try File("f", O_RDWR)
                try file.lock(F_SETLK, F_WRLCK, 2, 1)
                waiting.open()
                try turns[2].pass()
                // On a mount that does not notice, this ends it.
                var action = sigaction()
                action.__sigaction_handler.sa_handler = { _ in }
                sigaction(SIGALRM, &action, nil)
                alarm(5)
                var first = RecordLock()
                first.l_type = Int16(F_WRLCK)
                first.l_len = 1
                let result = clinux_fcntl_lock(file.descriptor, F_SETLKW, &first)
                let end = result < 0 ? Errno.last.name : "success"
                try expect("end of the wait that closes a circle", end, is: "EDEADLK", path: "f")
            }
            try last.reach(waiting)
            for (turn, other) in zip(turns, others) {
                turn.open()
                try other.reach(waiting)
            }
            usleep(200_000)
            turns[2].open()
            try last.join()
            // With its end the others have theirs.
            for other in others.reversed() { try other.join() }
        },
        .init("record-locks-in-a-chain", "fcntl(2): EDEADLK for a circle only", isAlone: true) { _ in
            try FS.create("f", "wxyz")
            let file = try File("f", O_RDWR)
            try file.lock(F_SETLK, F_WRLCK, 3, 1)
            let waiting = try Gate()
            var chain: [Child] = []
            for number in [2, 1, 0] {
                let child = try Child("process \(number)") {
                    let file = try File("f", O_RDWR)
                    try file.lock(F_SETLK, F_WRLCK, Int64(number), 1)
                    waiting.open()
                    try file.lock(F_SETLKW, F_WRLCK, Int64(number) + 1, 1)
                }
                try child.reach(waiting)
                chain.append(child)
            }
            usleep(200_000)
            try file.lock(F_SETLK, F_UNLCK, 3, 1)
            for child in chain { try child.join() }
        },
        .init(
            "description-locks-in-a-circle", "fcntl(2): no deadlock detection for open file description locks",
            isAlone: true
        ) { _ in
            try FS.create("f", "xy")
            let one = try File("f", O_RDWR)
            let other = try File("f", O_RDWR)
            try one.lock(CLINUX_F_OFD_SETLK, F_WRLCK, 0, 1)
            try other.lock(CLINUX_F_OFD_SETLK, F_WRLCK, 1, 1)
            let first = try Child("first") { try one.lock(CLINUX_F_OFD_SETLKW, F_WRLCK, 1, 1) }
            let second = try Child("second") { try other.lock(CLINUX_F_OFD_SETLKW, F_WRLCK, 0, 1) }
            usleep(500_000)
            // This process shares both, and lets go of what they wait for.
            try other.lock(CLINUX_F_OFD_SETLK, F_UNLCK, 1, 1)
            try first.join()
            try one.lock(CLINUX_F_OFD_SETLK, F_UNLCK, 0, 1)
            try second.join()
        },
        .init("description-lock-outlives-a-late-close", "fcntl(2): F_OFD_SETLK", deadline: 120) { _ in
            try FS.create("f", "x")
            try FS.create("filler", [UInt8](repeating: 0, count: 4096))
            let cpu = clinux_cpu()
            try pin(to: cpu)
            let third = try File("f", O_RDWR)
            for round in 0..<10 {
                // So many files that end at once that the end of the one below is told late.
                let (ready, end) = (try Gate(), try Gate())
                let crowd = try Child("crowd") {
                    let mappings = try (0..<2000).map { _ in
                        try File("filler", O_RDONLY).map(4096, writable: false, shared: true)
                    }
                    ready.open()
                    try end.pass()
                    kill(getpid(), SIGKILL)
                    _ = mappings
                }
                try crowd.reach(ready)
                let former = try File("f", O_RDWR)
                try former.lock(CLINUX_F_OFD_SETLK, F_WRLCK)
                try former.lock(CLINUX_F_OFD_SETLK, F_UNLCK)
                end.open()
                crowd.wait()
                try former.close()
                // The kernel uses memory of open files again at once: to a daemon this may look like the one before.
                let next = try File("f", O_RDWR)
                try next.lock(CLINUX_F_OFD_SETLK, F_WRLCK)
                usleep(300_000)
                try fails(.resourceTemporarilyUnavailable, what: "a lock that another description has, round \(round)")
                {
                    try third.lock(CLINUX_F_OFD_SETLK, F_WRLCK)
                }
                try next.lock(CLINUX_F_OFD_SETLK, F_UNLCK)
                try next.close()
            }
        },
    ])
