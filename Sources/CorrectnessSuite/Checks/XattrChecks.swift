import BenchCore
import CBench
import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// Extended attributes and access control lists.
let xattrChecks = CheckGroup(
    "xattr",
    [
        .init("xattr-set-get-remove", "setxattr(2), getxattr(2), removexattr(2)", needs: [.feature(.userAttributes)]) {
            _ in
            try FS.create("f")
            try FS.mkdir("d")
            for name: Path in ["f", "d"] {
                try FS.setxattr(name, "user.one", Array("first".utf8))
                try FS.setxattr(name, "user.two", [0, 255, 0, 1])
                try FS.setxattr(name, "user.empty", [])
                try expect(data: try FS.getxattr(name, "user.one"), is: Array("first".utf8), "value", path: name)
                try expect(data: try FS.getxattr(name, "user.two"), is: [0, 255, 0, 1], "binary value", path: name)
                try expect(data: try FS.getxattr(name, "user.empty"), is: [], "empty value", path: name)
                try expect(
                    "names", Set(try FS.listxattr(name)).intersection(["user.one", "user.two", "user.empty"]).count,
                    is: 3, path: name)
                try FS.setxattr(name, "user.one", Array("second value".utf8))
                try expect(
                    data: try FS.getxattr(name, "user.one"), is: Array("second value".utf8), "replaced value",
                    path: name)
                try FS.removexattr(name, "user.one")
                try fails(.noData, what: "get of a removed attribute") { try FS.getxattr(name, "user.one") }
                try expect(try !FS.listxattr(name).contains("user.one"), "a removed attribute is listed", path: name)
            }
        },
        .init("xattr-flags", "setxattr(2): XATTR_CREATE, XATTR_REPLACE", needs: [.feature(.userAttributes)]) { _ in
            try FS.create("f")
            let create: CInt = 1
            let replace: CInt = 2
            try fails(.noData, what: "replace of a missing attribute") {
                try FS.setxattr("f", "user.a", [1], flags: replace)
            }
            try FS.setxattr("f", "user.a", [1], flags: create)
            try fails(.fileExists, what: "create of an attribute that exists") {
                try FS.setxattr("f", "user.a", [2], flags: create)
            }
            try expect(data: try FS.getxattr("f", "user.a"), is: [1], "value", path: "f")
            try FS.setxattr("f", "user.a", [3], flags: replace)
            try expect(data: try FS.getxattr("f", "user.a"), is: [3], "value", path: "f")
            try fails(.invalidArgument, what: "unknown flags") { try FS.setxattr("f", "user.a", [1], flags: 64) }
        },
        .init("xattr-errors", "getxattr(2): ENODATA, ERANGE, EOPNOTSUPP", needs: [.feature(.userAttributes)]) { _ in
            try FS.create("f")
            try FS.setxattr("f", "user.a", [1, 2, 3, 4, 5])
            try fails(.noData, what: "get of a missing attribute") { try FS.getxattr("f", "user.x") }
            try fails(.noData, what: "remove of a missing attribute") { try FS.removexattr("f", "user.x") }
            try fails(.outOfRange, what: "get into a small buffer") { try FS.getxattr("f", "user.a", room: 3) }
            try expect("length alone", try FS.getxattr("f", "user.a", room: 0).count, is: 5, path: "f")
            try fails(.outOfRange, what: "list into a small buffer") { try FS.listxattr("f", room: 3) }
            try fails(.notSupported, what: "unknown namespace") { try FS.setxattr("f", "unknown.a", [1]) }
            try fails(.notSupported, what: "name without a namespace") { try FS.setxattr("f", "plain", [1]) }
            try fails(.noSuchFileOrDirectory, what: "attribute of nothing") { try FS.setxattr("x", "user.a", [1]) }
        },
        .init(
            "xattr-trusted-is-listed-to-the-trusted", "xattr(7): trusted attributes are seen with CAP_SYS_ADMIN only",
            needs: [.root, .feature(.userAttributes), .feature(.trustedAttributes)]
        ) { context in
            try FS.create("f")
            try FS.setxattr("f", "trusted.one", [1])
            try FS.setxattr("f", "user.mine", [1])
            try FS.setxattr("f", "trusted.two", [2])
            let own = Set<Path>(["trusted.one", "user.mine", "trusted.two"])
            try expect("names for root", Set(try FS.listxattr("f")).intersection(own), is: own, path: "f")
            for credentials in [Credentials.bob, .bob.with(capability: CBENCH_CAP_FOWNER)] {
                try context.run(as: credentials) {
                    let names = try FS.listxattr("f")
                    try expect("names for a user", Set(names).intersection(own), is: ["user.mine"], path: "f")
                    for name in names { _ = try FS.getxattr("f", name) }
                    let length = names.reduce(0) { $0 + $1.bytes.count + 1 }
                    try expect("length alone", try call("listxattr") { llistxattr("f", nil, 0) }, is: length, path: "f")
                    try expect("names in just enough room", try FS.listxattr("f", room: length), is: names, path: "f")
                }
            }
            try FS.create("g")
            try FS.setxattr("g", "trusted.one", [1])
            try context.run(as: .bob) {
                try expect(
                    "names for a user", try FS.listxattr("g").filter { $0 == "trusted.one" }, is: [], path: "g")
            }
        },
        .init("xattr-long-names-and-values", "xattr(7): 255 bytes, 64 KiB", needs: [.feature(.userAttributes)]) {
            context in
            try FS.create("f")
            let longest = Path(bytes: Array("user.".utf8) + [UInt8](repeating: UInt8(ascii: "n"), count: 250))
            try FS.setxattr("f", longest, [1])
            try expect(data: try FS.getxattr("f", longest), is: [1], "value under a name of 255 bytes", path: "f")
            try fails(.outOfRange, what: "name of 256 bytes") {
                try FS.setxattr("f", Path(bytes: longest.bytes + [0x6e]), [1])
            }
            try FS.removexattr("f", longest)
            var random = context.random()
            for size in [1, 100, 255, 1000, 2000, 3000] {
                let value = random.bytes(size)
                try FS.setxattr("f", "user.value", value)
                try expect(data: try FS.getxattr("f", "user.value"), is: value, "value of \(size) bytes", path: "f")
            }
            try fails(.argListTooLong, what: "value of more than 64 KiB") {
                try FS.setxattr("f", "user.value", [UInt8](repeating: 1, count: 65_537))
            }
        },
        .init("xattr-largest", "xattr(7): values and lists of up to 64 KiB", needs: [.feature(.userAttributes)]) {
            context in
            try FS.create("f")
            let behind = context.source == nil ? nil : try context.behind("g")
            if let behind { try FS.create(behind) }
            func refusal(_ path: Path, _ name: Path, _ value: [UInt8]) -> Errno? {
                do {
                    try FS.setxattr(path, name, value)
                    return nil
                } catch {
                    return error.errno
                }
            }
            // What the source takes the mount must take, and refuse what it refuses; elsewhere a file may be full.
            func isSet(_ name: Path, _ value: [UInt8]) throws -> Bool {
                let refused = refusal("f", name, value)
                if let behind {
                    try expect("refusal of \(value.count) bytes", refused, is: refusal(behind, name, value), path: "f")
                } else if let refused, refused != .noSpace {
                    throw CheckFailure(
                        "setxattr of \(value.count) bytes", expected: "success", got: refused.name, path: "f")
                }
                return refused == nil
            }
            func longest(_ number: Int) -> Path {
                let start = Array("user.\(1000 + number)".utf8)
                return Path(bytes: start + [UInt8](repeating: UInt8(ascii: "n"), count: 255 - start.count))
            }
            var random = context.random()
            for size in [4096, 9000, 32_768, 65_535, 65_536] {
                let value = random.bytes(size)
                guard try isSet(longest(0), value) else { break }
                for room in [size, 65_536] {
                    try expect(
                        data: try FS.getxattr("f", longest(0), room: room), is: value, "value of \(size) bytes",
                        path: "f"
                    )
                }
                if context.source != nil {
                    try expect(
                        data: try FS.getxattr(try context.behind("f"), longest(0)), is: value,
                        "value of \(size) bytes behind the mount")
                }
                try FS.removexattr("f", longest(0))
                if let behind { try FS.removexattr(behind, longest(0)) }
            }
            // 255 names of 255 bytes and their NULs: the longest list.
            var names = Set<Path>()
            for number in 0..<255 {
                guard try isSet(longest(number), []) else { break }
                names.insert(longest(number))
            }
            try expect(
                "names listed", Set(try FS.listxattr("f")).intersection(names).count, is: names.count, path: "f")
        },
        .init("xattr-many", "listxattr(2)", needs: [.feature(.userAttributes)]) { _ in
            try FS.create("f")
            let names = Set((0..<40).map { Path("user.attribute-\($0)") })
            for name in names { try FS.setxattr("f", name, Array(name.bytes.suffix(8))) }
            try expect("names", Set(try FS.listxattr("f")).intersection(names).count, is: 40, path: "f")
            for name in names {
                try expect(
                    data: try FS.getxattr("f", name), is: Array(name.bytes.suffix(8)), "value of \(name)", path: "f")
            }
        },
        .init("xattr-stays-with-the-file", "rename(2), link(2)", needs: [.feature(.userAttributes)]) { _ in
            try FS.create("f")
            try FS.setxattr("f", "user.a", [1])
            try FS.link("f", "g")
            try FS.rename("f", "h")
            try expect(data: try FS.getxattr("g", "user.a"), is: [1], "value through a link", path: "g")
            try FS.create("h", "content")
            try expect(data: try FS.getxattr("h", "user.a"), is: [1], "value after a write", path: "h")
            try FS.unlink("g")
            try FS.unlink("h")
            try FS.create("f")
            try fails(.noData, what: "attribute of a new file of the same name") { try FS.getxattr("f", "user.a") }
        },
        .init("xattr-by-descriptor", "fsetxattr(2)", needs: [.feature(.userAttributes)]) { _ in
            let file = try File("f", O_RDWR | O_CREAT)
            try FS.unlink("f")
            try call("fsetxattr") { fsetxattr(file.descriptor, "user.a", [7], 1, 0) }
            var value: UInt8 = 0
            try expect("length", try call("fgetxattr") { fgetxattr(file.descriptor, "user.a", &value, 1) }, is: 1)
            try expect("value", value, is: 7)
        },
        .init("xattr-changes-ctime", "setxattr(2): st_ctime", needs: [.feature(.userAttributes)]) { _ in
            try FS.create("f")
            let before = try FS.stat("f")
            usleep(20_000)
            try FS.setxattr("f", "user.a", [1])
            let after = try FS.stat("f")
            try expect(after.changed > before.changed, "ctime did not move", path: "f")
            try expect("mtime", after.modified, is: before.modified, path: "f")
        },
        .init(
            "xattr-permissions", "xattr(7): user attributes follow the mode", needs: [.root, .feature(.userAttributes)]
        ) { context in
            try FS.create("f", mode: 0o644)
            try FS.setxattr("f", "user.a", [1])
            try context.run(as: .bob) {
                try expect(data: try FS.getxattr("f", "user.a"), is: [1], "value", path: "f")
                try fails(.permissionDenied, what: "set without write permission") {
                    try FS.setxattr("f", "user.a", [2])
                }
            }
            try FS.chmod("f", 0o600)
            try context.run(as: .bob) {
                try fails(.permissionDenied, what: "get without read permission") { try FS.getxattr("f", "user.a") }
            }
            try FS.symlink("f", "s")
            try fails(.notPermitted, what: "user attribute of a link") { try FS.setxattr("s", "user.a", [1]) }
        },
        .init(
            "trusted-attributes", "xattr(7): trusted attributes need CAP_SYS_ADMIN",
            needs: [.root, .feature(.trustedAttributes)]
        ) { context in
            try FS.create("f", mode: 0o666)
            try FS.chmod("f", 0o666)
            try FS.setxattr("f", "trusted.a", [1])
            try expect(data: try FS.getxattr("f", "trusted.a"), is: [1], "value", path: "f")
            try context.run(as: .bob) {
                try fails(.noData, what: "get by a user") { try FS.getxattr("f", "trusted.a") }
                try fails(.notPermitted, what: "set by a user") { try FS.setxattr("f", "trusted.a", [2]) }
            }
        },
    ])

let accessListChecks = CheckGroup(
    "acl",
    [
        .init("acl-grants", "acl(5): named users and groups", needs: [.root, .feature(.accessLists)]) { context in
            try FS.create("f", "x", mode: 0o600)
            try FS.setxattr(
                "f", AccessList.accessName,
                AccessList(
                    owner: 6, group: 0, other: 0, users: [Credentials.bob.user: 4], groups: [Credentials.team: 6]
                ).encoded)
            try context.run(as: .bob) {
                _ = try File("f", O_RDONLY)
                try fails(.permissionDenied, what: "write by a user who may read") { try File("f", O_WRONLY) }
            }
            try context.run(as: .carol) { _ = try File("f", O_RDWR) }
            try context.run(as: Credentials(user: 60099, group: 60099)) {
                try fails(.permissionDenied, what: "read by anybody else") { try File("f", O_RDONLY) }
            }
        },
        .init("acl-denies", "acl(5): the first entry that fits decides", needs: [.root, .feature(.accessLists)]) {
            context in
            try FS.create("f", "x")
            try FS.setxattr(
                "f", AccessList.accessName,
                AccessList(owner: 6, group: 4, other: 4, users: [Credentials.bob.user: 0]).encoded)
            try context.run(as: .bob) {
                try fails(.permissionDenied, what: "read by a user with an empty entry") { try File("f", O_RDONLY) }
            }
            try context.run(as: .carol) { _ = try File("f", O_RDONLY) }
        },
        .init("acl-mask", "acl(5): the mask limits", needs: [.root, .feature(.accessLists)]) { context in
            try FS.create("f", "x")
            try FS.setxattr(
                "f", AccessList.accessName,
                AccessList(owner: 6, group: 6, other: 0, users: [Credentials.bob.user: 6], mask: 4).encoded)
            try expect("mode shows the mask", try FS.stat("f").mode, is: 0o640, path: "f")
            try context.run(as: .bob) {
                _ = try File("f", O_RDONLY)
                try fails(.permissionDenied, what: "write that the mask forbids") { try File("f", O_WRONLY) }
            }
            try FS.chmod("f", 0o660)
            try context.run(as: .bob) { _ = try File("f", O_WRONLY) }
            try FS.chmod("f", 0o600)
            try context.run(as: .bob) {
                try fails(.permissionDenied, what: "read after chmod took the mask away") { try File("f", O_RDONLY) }
            }
        },
        .init("acl-sets-the-mode", "acl(5): correspondence with the mode", needs: [.feature(.accessLists)]) { _ in
            try FS.create("f", mode: 0o777)
            try FS.setxattr("f", AccessList.accessName, AccessList(owner: 6, group: 4, other: 0).encoded)
            try expect("mode", try FS.stat("f").mode, is: 0o640, path: "f")
            try fails(.noData, what: "a list that says no more than the mode") {
                try FS.getxattr("f", AccessList.accessName)
            }
        },
        .init(
            "acl-default-is-inherited", "acl(5): object creation and default ACLs",
            needs: [.root, .feature(.accessLists)]
        ) { context in
            try FS.mkdir("d")
            try FS.chmod("d", 0o777)
            let list = AccessList(owner: 7, group: 5, other: 0, users: [Credentials.bob.user: 7]).encoded
            try FS.setxattr("d", AccessList.defaultName, list)
            try expect(data: try FS.getxattr("d", AccessList.defaultName), is: list, "default list", path: "d")
            let saved = umask(0o077)
            defer { umask(saved) }
            try FS.create("d/f", "x", mode: 0o666)
            try FS.mkdir("d/sub", 0o777)
            try expect("mode of a file, whatever the umask", try FS.stat("d/f").mode, is: 0o660, path: "d/f")
            try expect("mode of a directory, whatever the umask", try FS.stat("d/sub").mode, is: 0o770, path: "d/sub")
            try expect(
                data: try FS.getxattr("d/sub", AccessList.defaultName), is: list, "default list of the subdirectory",
                path: "d/sub")
            try context.run(as: .bob) {
                try File("d/f", O_RDWR).write("y", at: 0)
                try FS.create("d/sub/mine")
            }
            try context.run(as: .carol) {
                try fails(.permissionDenied, what: "anybody else") { try File("d/f", O_RDONLY) }
            }
            try FS.create("d/narrow", mode: 0o600)
            try expect("mode asked for is an upper bound", try FS.stat("d/narrow").mode, is: 0o600, path: "d/narrow")
        },
        .init("acl-removed", "removexattr(2)", needs: [.root, .feature(.accessLists)]) { context in
            try FS.create("f", "x", mode: 0o600)
            try FS.setxattr(
                "f", AccessList.accessName,
                AccessList(owner: 6, group: 0, other: 0, users: [Credentials.bob.user: 4]).encoded)
            try context.run(as: .bob) { _ = try File("f", O_RDONLY) }
            try FS.removexattr("f", AccessList.accessName)
            try context.run(as: .bob) {
                try fails(.permissionDenied, what: "read after the list was removed") { try File("f", O_RDONLY) }
            }
            try fails(.noData, what: "get of a removed list") { try FS.getxattr("f", AccessList.accessName) }
        },
        .init("acl-errors", "acl(5), setxattr(2): EINVAL, EPERM, EACCES", needs: [.root, .feature(.accessLists)]) {
            context in
            try FS.create("f", mode: 0o666)
            try FS.chmod("f", 0o666)
            try fails(.invalidArgument, .notSupported, what: "a list of a wrong version") {
                try FS.setxattr("f", AccessList.accessName, [9, 0, 0, 0])
            }
            try fails(.invalidArgument, what: "a list that is cut off") {
                try FS.setxattr(
                    "f", AccessList.accessName, Array(AccessList(owner: 6, group: 4, other: 4).encoded.dropLast(3)))
            }
            try fails(.permissionDenied, what: "default list of a file") {
                try FS.setxattr("f", AccessList.defaultName, AccessList(owner: 6, group: 4, other: 4).encoded)
            }
            try context.run(as: .bob) {
                try fails(.notPermitted, what: "list set by another than the owner") {
                    try FS.setxattr("f", AccessList.accessName, AccessList(owner: 6, group: 4, other: 4).encoded)
                }
            }
        },
    ])
