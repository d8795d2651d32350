import BenchCore
import CBench
import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// Several processes at the same names and files.
let concurrencyChecks = CheckGroup(
    "concurrency",
    [
        .init("one-creates-exclusively", "open(2): O_EXCL is atomic", deadline: 60) { context in
            try expectOneWinner(context, "processes that created it", others: .fileExists) { name in
                _ = try File(name, O_WRONLY | O_CREAT | O_EXCL)
            }
        },
        .init("one-makes-the-directory", "mkdir(2) is atomic", deadline: 60) { context in
            try expectOneWinner(context, "processes that made it", others: .fileExists) { try FS.mkdir($0) }
        },
        .init("one-removes-the-name", "unlink(2) is atomic", deadline: 60) { context in
            try expectOneWinner(
                context, "processes that removed it", others: .noSuchFileOrDirectory, before: { try FS.create($0) }
            ) { try FS.unlink($0) }
        },
        .init("one-moves-the-name", "rename(2) is atomic", deadline: 60) { context in
            for round in 0..<30 {
                let name = Path("f\(round)")
                try FS.create(name)
                try context.inParallel(4) { index in
                    do {
                        try FS.rename(name, Path("moved\(round)-\(index)"))
                    } catch let error as CallError where error.errno == .noSuchFileOrDirectory {}
                }
                try expect("names after the race", try FS.names(".").count, is: round + 1)
            }
        },
        .init("renamed-over-name-never-misses", "rename(2): newpath is never absent", deadline: 60) { _ in
            try FS.create("target", "version 0 of the content")
            let stop = try SharedMemory(4096)
            let readers = try (0..<2).map { index in
                try Child("reader \(index)") {
                    while stop.bytes[0] == 0 {
                        let content = try FS.contents("target")
                        try expect(
                            content.starts(with: Array("version".utf8)) && content.count >= 24,
                            "content of \(content.count) bytes", path: "target")
                        _ = try FS.stat("target")
                    }
                }
            }
            for version in 1...400 {
                try FS.create("new", "version \(version) of the content")
                try FS.rename("new", "target")
            }
            stop.bytes[0] = 1
            for reader in readers { try reader.join() }
        },
        .init(
            "exchanged-names-never-miss", "rename(2): RENAME_EXCHANGE is atomic", needs: [.feature(.exchange)],
            deadline: 60
        ) { _ in
            try FS.create("a", "A")
            try FS.mkdir("b")
            let stop = try SharedMemory(4096)
            let reader = try Child("reader") {
                while stop.bytes[0] == 0 {
                    _ = try FS.stat("a")
                    _ = try FS.stat("b")
                }
            }
            for _ in 0..<400 { try FS.rename("a", "b", flags: CLINUX_RENAME_EXCHANGE) }
            stop.bytes[0] = 1
            try reader.join()
            try expect("type of a", try FS.stat("a").kind, is: .regular, path: "a")
        },
        .init(
            "looked-up-while-forgotten", "open(2), stat(2): a file stays, whatever the kernel forgets of it",
            needs: [.root], deadline: 60
        ) { context in
            let files = 16
            func content(_ number: Int) -> [UInt8] { Array("content of file \(number)".utf8) }
            for number in 0..<files { try FS.create(Path("f\(number)"), content(number)) }
            let stop = try SharedMemory(4096)
            let lookers = try (0..<4).map { index in
                try Child("process \(index)") {
                    var random = context.random(UInt64(index))
                    while stop.bytes[0] == 0 {
                        let number = random.below(files)
                        let name = Path("f\(number)")
                        try expect("size", try FS.stat(name).size, is: UInt64(content(number).count), path: name)
                        try expect(data: try FS.contents(name), is: content(number), "content", path: name)
                    }
                }
            }
            // On a plain directory that would be the machine's own filesystem, which tells nobody what it forgets.
            let end = Deadline(after: Pace.inherited(.milliseconds(context.traits.isMount ? 1500 : 100)))
            while !end.hasPassed {
                if !context.traits.isMount { usleep(10_000) } else { try call("fsconfig") { cbench_drop_unused() } }
            }
            stop.bytes[0] = 1
            for looker in lookers { try looker.join() }
        },
        .init(
            "callers-keep-their-ids", "credentials(7): of many at once, each makes files as itself", needs: [.root],
            deadline: 60
        ) { context in
            try FS.chmod(".", 0o777)
            try context.run(as: .alice) { try FS.create("alone") }
            if try FS.stat("alone").owner != Credentials.alice.user {
                throw CheckSkipped("even of a single caller, creations do not belong to it (created-as-the-caller)")
            }
            let callers: [Credentials] = [.alice, .bob, .carol, Credentials(user: 60004, group: 60004)]
            let each = 150
            func name(_ caller: Int, _ number: Int) -> Path { Path("\(caller)-\(number)") }
            let gate = try Gate()
            let children = try callers.enumerated().map { index, who in
                try Child("user \(who.user)", as: who) {
                    try gate.pass()
                    for number in 0..<each {
                        switch number % 3 {
                        case 0: try FS.create(name(index, number))
                        case 1: try FS.mkdir(name(index, number))
                        default: try FS.symlink("alone", name(index, number))
                        }
                    }
                }
            }
            gate.open(callers.count)
            for child in children { try child.join() }
            for (index, who) in callers.enumerated() {
                for number in 0..<each {
                    let made = try FS.stat(name(index, number))
                    try expect(
                        "owner and group", [made.owner, made.group], is: [who.user, who.group],
                        path: name(index, number))
                }
            }
        },
        .init("append-from-8-processes", "open(2): O_APPEND is atomic", deadline: 60) { context in
            try FS.create("log")
            try context.inParallel(8) { index in
                let file = try File("log", O_WRONLY | O_APPEND)
                for record in 0..<100 {
                    let text = "\(index)-\(record)-"
                    try file.append(
                        Array(
                            (text
                                + String(repeating: Character(UnicodeScalar(UInt8(97 + index))), count: 31 - text.count)
                                + "\n").utf8))
                }
            }
            let content = try FS.contents("log")
            try expect("bytes in the log", content.count, is: 8 * 100 * 32, path: "log")
            var next = [Int](repeating: 0, count: 8)
            for (number, line) in content.split(separator: 10, omittingEmptySubsequences: false).dropLast().enumerated()
            {
                let parts = line.split(separator: UInt8(ascii: "-"))
                guard line.count == 31, parts.count == 3, let index = Int(String(decoding: parts[0], as: UTF8.self)),
                    index < 8
                else {
                    throw CheckFailure(
                        "line \(number) of the log is torn", expected: "31 bytes",
                        got: String(decoding: line, as: UTF8.self), path: "log")
                }
                try expect(
                    "record of process \(index) in line \(number)", Int(String(decoding: parts[1], as: UTF8.self)),
                    is: next[index], path: "log")
                next[index] += 1
            }
        },
        .init("blocks-from-4-processes", "pwrite(2): disjoint writes do not disturb each other", deadline: 60) {
            context in
            let blocks = 400
            try FS.create("f", [UInt8](repeating: 0, count: blocks * 1000))
            try context.inParallel(4) { index in
                let file = try File("f", O_WRONLY)
                for block in stride(from: index, to: blocks, by: 4) {
                    try file.write([UInt8](repeating: UInt8(block % 250) + 1, count: 1000), at: Int64(block * 1000))
                }
            }
            let content = try FS.contents("f")
            for block in 0..<blocks {
                try expect(
                    data: Array(content[block * 1000..<(block + 1) * 1000]),
                    is: [UInt8](repeating: UInt8(block % 250) + 1, count: 1000), "block \(block)", path: "f")
            }
        },
        .init(
            "same-names-from-4-processes", "rename(2), unlink(2), open(2): only the errors that a race allows",
            deadline: 60
        ) { context in
            try context.inParallel(4) { index in
                var random = context.random(UInt64(index))
                let allowed: Set<Errno> = [
                    .noSuchFileOrDirectory, .fileExists, .isDirectory, .notDirectory, .directoryNotEmpty,
                ]
                for step in 0..<400 {
                    let one = Path("n\(random.below(6))")
                    let other = Path("n\(random.below(6))")
                    do {
                        switch random.below(7) {
                        case 0: try FS.create(one, "process \(index)")
                        case 1: try FS.unlink(one)
                        case 2: try FS.rename(one, other)
                        case 3: try FS.link(one, other)
                        case 4: try FS.mkdir(one)
                        case 5: try FS.rmdir(one)
                        default: _ = try FS.stat(one)
                        }
                    } catch let error as CallError {
                        // link(2) of a directory is refused with EPERM.
                        guard allowed.contains(error.errno) || (error.call == "link" && error.errno == .notPermitted)
                        else {
                            throw CheckFailure(
                                "step \(step): \(error.call)", expected: "success or an error of a race",
                                got: error.errno.name, path: error.path)
                        }
                    }
                }
            }
            for name in try FS.names(".") {
                let listed = try FS.stat(name)
                if listed.kind == .regular { _ = try FS.contents(name) }
            }
            FS.removeTree("n0")
            for name in try FS.names(".") { FS.removeTree(name) }
            try expect("names that cannot be removed", try FS.names("."), is: [])
        },
        .init("link-counts-after-races", "link(2), unlink(2): st_nlink is the number of names", deadline: 60) {
            context in
            try FS.create("f")
            try context.inParallel(4) { index in
                var random = context.random(UInt64(index))
                for _ in 0..<200 {
                    let name = Path("l\(random.below(10))")
                    _ = random.below(2) == 0 ? try? FS.link("f", name) : try? FS.unlink(name)
                }
            }
            let names = try FS.names(".")
            for name in names { try expect("links", try FS.stat(name).links, is: UInt32(names.count), path: name) }
        },
        .init("trees-in-parallel", "mkdir(2), rmdir(2), rename(2)", deadline: 60) { context in
            try context.inParallel(4) { index in
                for round in 0..<10 {
                    let top = Path("tree-\(index)-\(round)")
                    try FS.mkdir(top)
                    for sub in 0..<5 {
                        try FS.mkdir(top / Path("s\(sub)"))
                        for file in 0..<5 {
                            try FS.create(top / Path("s\(sub)/f\(file)"), "\(index).\(round).\(sub).\(file)")
                        }
                    }
                    for sub in 0..<5 {
                        for file in 0..<5 {
                            let path = top / Path("s\(sub)/f\(file)")
                            try expect(
                                data: try FS.contents(path), is: Array("\(index).\(round).\(sub).\(file)".utf8),
                                "content", path: path)
                            try FS.unlink(path)
                        }
                        try FS.rmdir(top / Path("s\(sub)"))
                    }
                    try FS.rmdir(top)
                }
            }
            try expect("names that are left", try FS.names("."), is: [])
        },
        .init("truncate-beside-readers", "truncate(2), read(2): never other data", deadline: 60) { _ in
            try FS.create("f", [UInt8](repeating: 0x41, count: 40_000))
            let stop = try SharedMemory(4096)
            let reader = try Child("reader") {
                let file = try File("f", O_RDONLY)
                while stop.bytes[0] == 0 {
                    for (offset, byte) in try file.read(40_000, at: 0).enumerated() where byte != 0x41 && byte != 0 {
                        throw CheckFailure("byte at offset \(offset)", expected: "0x41 or 0", got: "\(byte)", path: "f")
                    }
                }
            }
            let file = try File("f", O_RDWR)
            for round in 0..<150 {
                try file.truncate(Int64(round * 131 % 40_000))
                try file.write([UInt8](repeating: 0x41, count: 40_000), at: 0)
            }
            stop.bytes[0] = 1
            try reader.join()
        },
        .init("listing-beside-changes", "readdir(3): what stays is listed once", deadline: 60) { _ in
            for index in 0..<100 { try FS.create(Path("stays\(index)")) }
            let stop = try SharedMemory(4096)
            let writers = try (0..<2).map { index in
                try Child("writer \(index)") {
                    var round = 0
                    while stop.bytes[0] == 0 {
                        let name = Path("comes\(index)-\(round % 50)")
                        try FS.create(name)
                        try FS.rename(name, Path("goes\(index)-\(round % 50)"))
                        if round >= 20 { try FS.unlink(Path("goes\(index)-\((round - 20) % 50)")) }
                        round += 1
                    }
                }
            }
            for _ in 0..<60 {
                let names = try File(".", O_RDONLY | O_DIRECTORY).entries(room: 2048).map(\.name)
                let stays = names.filter { $0.bytes.starts(with: Array("stays".utf8)) }
                try expect("entries that stay, listed twice", stays.count - Set(stays).count, is: 0)
                try expect("entries that stay, listed", Set(stays).count, is: 100)
            }
            stop.bytes[0] = 1
            for writer in writers { try writer.join() }
        },
        .init("client-killed-while-writing", "signal(7): the file stays usable", deadline: 60) { _ in
            for _ in 0..<10 {
                let begun = try Gate()
                let child = try Child("writer") {
                    let file = try File("f", O_RDWR | O_CREAT)
                    begun.open()
                    while true { try file.write([UInt8](repeating: 0x42, count: 128 << 10), at: 0) }
                }
                try child.reach(begun)
                usleep(10_000)
                child.signal(SIGKILL)
                try expect("end of the writer", child.wait(), is: -SIGKILL)
                for byte in try FS.contents("f") where byte != 0x42 {
                    throw CheckFailure("content", expected: "only 0x42", got: "\(byte)", path: "f")
                }
                try FS.create("g", "works")
                try expect(data: try FS.contents("g"), is: Array("works".utf8), "another file", path: "g")
            }
        },
    ])

/// Four processes do the same to a name, 30 names in turn: one succeeds, the others get `others`.
private func expectOneWinner(
    _ context: CheckContext, _ what: String, others: Errno, before: (Path) throws -> Void = { _ in },
    _ act: (Path) throws -> Void
) throws {
    let winners = try SharedMemory(4096)
    for round in 0..<30 {
        let name = Path("name\(round)")
        try before(name)
        try context.inParallel(4) { index in
            do {
                try act(name)
                winners.bytes[round * 4 + index] = 1
            } catch let error as CallError where error.errno == others {}
        }
        try expect(what, winners.bytes[round * 4..<round * 4 + 4].reduce(0) { $0 + Int($1) }, is: 1, path: name)
    }
}
