import BenchCore
import CBench
import Glibc
import LinuxSystem
import SystemPackage

/// Other mounts in the directory behind the mount.
let mountChecks = CheckGroup(
    "mounts",
    [
        .init("mount-in-the-source-is-served", "mount(2)", needs: [.root, .source], deadline: 60) { context in
            try withMount(context) { behind in
                try FS.create(behind / "f", "on another filesystem")
                try FS.mkdir(behind / "d")
            } body: { behind in
                try expect(
                    data: try FS.contents("m/f"), is: Array("on another filesystem".utf8), "content", path: "m/f")
                try expect("names", Set(try FS.names("m")), is: ["f", "d"], path: "m")
                try FS.create("m/d/new", "made")
                try expect(
                    data: try FS.contents(behind / "d/new"), is: Array("made".utf8), "content behind", path: "m/d/new")
                try fails(.improperLink, what: "link from one filesystem to another") { try FS.link("m/f", "f") }
                try fails(.improperLink, what: "rename from one filesystem to another") { try FS.rename("m/f", "f") }
            }
        },
        .init(
            "mount-in-the-source-can-be-unmounted", "umount(2): EBUSY only if it is in use", needs: [.root, .source],
            deadline: 60
        ) { context in
            let hasNone = Feature.fileHandles.missing(try context.behind(".")) != nil
            if context.traits.holdsFiles || hasNone {
                throw CheckSkipped("without file handles the daemon holds each file that the kernel remembers open")
            }
            try withMount(context) { behind in
                try FS.create(behind / "f", "first")
                try FS.mkdir(behind / "d")
            } body: { behind in
                try expect(data: try FS.contents("m/f"), is: Array("first".utf8), "content", path: "m/f")
                try expect("names", try FS.names("m/d"), is: [], path: "m/d")
                let file = try File("m/f", O_RDONLY)
                usleep(1_500_000)
                try fails(.resourceBusy, what: "umount with an open file") { try unmount(behind) }
                try file.close()
                var last: Errno?
                for _ in 0..<50 {
                    last = nil
                    do throws(CallError) { try unmount(behind) } catch { last = error.errno }
                    if last == nil { break }
                    usleep(100_000)
                }
                if let last {
                    throw CheckFailure(
                        "umount of a filesystem that nobody uses", expected: "success within 5 s", got: last.name,
                        path: behind)
                }
                // And what is mounted there next is another filesystem, whatever its numbers.
                try mount(behind)
                try FS.create(behind / "f", "second, and longer")
                try context.eventually("content of the next filesystem") {
                    (try? FS.contents("m/f")) == Array("second, and longer".utf8)
                }
            }
        },
        .init("read-only-mount-in-the-source", "mount(2): MS_BIND with MS_RDONLY", needs: [.root, .source]) { context in
            try FS.mkdir("d")
            try FS.create("d/f", "text")
            try FS.mkdir("m")
            let behind = try context.behind("m")
            try mount(behind, from: try context.behind("d"))
            defer { try? unmount(behind, CInt(MNT_DETACH)) }
            try context.eventually("a mount in the source") { try FS.exists("m/f") }
            try fails(.readOnlyFileSystem, what: "open for writing") { try File("m/f", O_WRONLY) }
            try fails(.readOnlyFileSystem, what: "truncation") { try FS.truncate("m/f", 0) }
            try fails(.readOnlyFileSystem, what: "creation") { try FS.create("m/new") }
            try fails(.readOnlyFileSystem, what: "removal") { try FS.unlink("m/f") }
            try fails(.readOnlyFileSystem, what: "chmod") { try FS.chmod("m/f", 0o600) }
            try File("d/f", O_WRONLY).write("next", at: 0)
            try context.eventually("what was written on the other side") {
                try FS.contents("m/f") == Array("next".utf8)
            }
        },
    ])

/// Mounts a filesystem on `m` behind the mount, which `prepare` fills, and runs `body` with it.
private func withMount(
    _ context: CheckContext, prepare: (Path) throws -> Void, body: (Path) throws -> Void
) throws {
    try FS.mkdir("m")
    let behind = try context.behind("m")
    try mount(behind)
    defer { try? unmount(behind, CInt(MNT_DETACH)) }
    try prepare(behind)
    try context.eventually("a mount in the source") { try FS.exists("m/f") }
    try body(behind)
}

/// Mounts a tmpfs, or binds a directory and makes that mount read-only.
private func mount(_ target: Path, from directory: Path? = nil) throws(CallError) {
    try target.withCString { target throws(CallError) in
        guard let directory else {
            try call("mount") { Glibc.mount("none", target, "tmpfs", 0, nil) }
            return
        }
        _ = try directory.withCString { directory throws(CallError) in
            try call("bind mount") { Glibc.mount(directory, target, nil, UInt(MS_BIND), nil) }
        }
        try call("remount") { Glibc.mount("none", target, nil, UInt(MS_BIND | MS_REMOUNT | MS_RDONLY), nil) }
    }
}

private func unmount(_ target: Path, _ flags: CInt = 0) throws(CallError) {
    try call("umount", target) { target.withCString { umount2($0, flags) } }
}
