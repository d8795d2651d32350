import ArgumentParser
import CLinux
import Foundation
import LinuxSystem
import LoopbackFS
import SystemPackage

/// Looks at everything that the daemon and the suites rest on.
struct Doctor {
    func examine() -> [Finding] {
        [
            kernel, fuseDevice, ringParameter, ioURing, cpus, fusectl, tracefs,
            program("fusermount3", "apt install fuse3"),
            zeroCopy, memoryLock, descriptors, privileges, procfs, users,
        ]
    }

    private func finding(_ name: String, _ ok: Bool, _ value: String, _ lack: Finding.State, _ remedy: String)
        -> Finding
    {
        Finding(name: name, state: ok ? .ok : lack, value: value, remedy: ok ? "" : remedy)
    }

    private func firstLine(_ path: String) -> String? {
        (try? readWhole(FilePath(path)))?.split(separator: "\n").first.map(String.init)
    }

    private var kernel: Finding {
        let release = firstLine("/proc/sys/kernel/osrelease") ?? "unknown"
        let numbers = release.split(whereSeparator: { !$0.isNumber }).prefix(2).compactMap { Int($0) }
        let new = numbers.count == 2 && (numbers[0], numbers[1]) >= (6, 14)
        return finding("kernel", new, release, .missing, "FUSE over io_uring takes Linux 6.14 or later")
    }

    private var fuseDevice: Finding {
        finding(
            "/dev/fuse", access("/dev/fuse", R_OK | W_OK) == 0, access("/dev/fuse", F_OK) == 0 ? "there" : "not there",
            .missing, "modprobe fuse; an unprivileged user needs mode 666 on it")
    }

    private var ringParameter: Finding {
        let setting = RingSetting.current
        return finding(
            "fuse.enable_uring", setting == .on, setting == .absent ? "no such parameter" : "\(setting)", .missing,
            setting == .absent
                ? "load the fuse module of a kernel with CONFIG_FUSE_IO_URING"
                : "echo 1 > \(RingSetting.path) (as root)")
    }

    private var ioURing: Finding {
        let value = firstLine("/proc/sys/kernel/io_uring_disabled") ?? "0"
        let usable = value == "0" || (value == "1" && geteuid() == 0)
        return finding(
            "io_uring", usable, "kernel.io_uring_disabled = \(value)", .missing, "sysctl kernel.io_uring_disabled=0")
    }

    private var cpus: Finding {
        let possible = (try? CPUSet.possible()) ?? []
        let online = (try? CPUSet.online()) ?? []
        let allowed = possible.filter(CPUSet.allows)
        return finding(
            "CPUs", allowed.count == possible.count,
            "\(possible.count) possible (as many queues), \(online.count) online, \(allowed.count) allowed", .limited,
            "queues of CPUs that are offline or not allowed are served from other CPUs")
    }

    private var fusectl: Finding {
        let mounted = ((try? MountTable.read()) ?? []).contains { $0.type == "fusectl" }
        return finding(
            "fusectl", mounted, mounted ? "mounted" : "not mounted", .limited,
            "mount -t fusectl fusectl /sys/fs/fuse/connections; without it a hung connection cannot be aborted")
    }

    private var tracefs: Finding {
        let mount = ((try? MountTable.read()) ?? []).first { $0.type == "tracefs" }
        let events = mount.map { access($0.mountPoint + "/events/fuse/fuse_request_send/enable", W_OK) == 0 } ?? false
        return finding(
            "tracefs", events, mount == nil ? "not mounted" : events ? "mounted, with FUSE events" : "no FUSE events",
            .limited,
            "mount -t tracefs tracefs /sys/kernel/tracing; without it the transport's own counts are not checked")
    }

    private func program(_ name: String, _ remedy: String) -> Finding {
        // A folder on a FUSE mount is left alone: its daemon may be stopped.
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":").filter {
            if case .elsewhere? = try? MountedPath(FilePath(String($0))) { true } else { false }
        }
        let path: String? = folders.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
        return finding(name, path != nil, path ?? "not found", geteuid() == 0 ? .limited : .missing, remedy)
    }

    /// Whether a mount has buffer pools and zero copy: no more can be told before INIT.
    private var zeroCopy: Finding {
        let release = firstLine("/proc/sys/kernel/osrelease") ?? "unknown"
        let numbers = release.split(whereSeparator: { !$0.isNumber }).prefix(2).compactMap { Int($0) }
        guard numbers.count == 2 && (numbers[0], numbers[1]) >= (7, 3) else {
            return finding(
                "zero copy", false, "not in this kernel, nor buffer pools", .limited,
                "Linux 7.3 (FUSE protocol 7.46) has them; a ring then takes less memory and copies less")
        }
        let mayCopyNothing = clinux_has_effective_capability(21 /* CAP_SYS_ADMIN */) == 1
        return finding(
            "zero copy", mayCopyNothing, mayCopyNothing ? "to be had, and buffer pools" : "buffer pools only", .limited,
            "run the daemon as root: zero copy takes CAP_SYS_ADMIN")
    }

    private var memoryLock: Finding {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(8 /* RLIMIT_MEMLOCK */), &limit)
        let enough = clinux_has_effective_capability(14 /* CAP_IPC_LOCK */) == 1 || limit.rlim_cur >= 8 << 20
        let value = limit.rlim_cur == rlim_t.max ? "unlimited" : "\(limit.rlim_cur >> 10) KiB"
        return finding("locked memory", enough, value, .limited, "ulimit -l 8192: io_uring counts its rings against it")
    }

    private var descriptors: Finding {
        let limit = DescriptorLimit.current
        return finding(
            "open files", limit.hard >= 4096, "\(limit.soft), at most \(limit.hard)", .limited,
            "raise the hard limit: each open file takes a descriptor, and each inode one without --file-handles")
    }

    private var privileges: Finding {
        guard geteuid() == 0 else {
            return finding(
                "privileges", false, "user \(geteuid())", .limited,
                "as another user, files are created as that user, inodes are held by descriptor and no fault can be"
                    + " injected by fusectl")
        }
        let missing = LoopbackFS.Capability.missing
        return finding(
            "privileges", missing.isEmpty,
            missing.isEmpty ? "root" : "root without \(missing.map(\.name).joined(separator: ", "))", .limited,
            "a daemon without them cannot \(missing.map(\.promise).joined(separator: "; "))")
    }

    private var procfs: Finding {
        finding("/proc", access("/proc/self/fd", X_OK) == 0, "mounted", .missing, "mount -t proc proc /proc")
    }

    private var users: Finding {
        let wanted = ["fsgqa", "fsgqa2", "123456-fsgqa"]
        let missing = wanted.filter { name in name.withCString { getpwnam($0) } == nil }
        return finding(
            "xfstests users", missing.isEmpty,
            missing.isEmpty ? "there" : "missing: \(missing.joined(separator: ", "))",
            .limited, "useradd \(missing.joined(separator: "; useradd "))")
    }
}
