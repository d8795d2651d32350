import CLinux
import Glibc
import LinuxSystem
import SystemPackage

extension LoadClient {
    /// Makes, changes and removes names.
    func metadataStep() throws(Errno) {
        let number = random.next() % 4
        let name = "m\(number)", other = "n\(number)"
        let file = try attempt(.create) { [folder] in openat_(folder, name, O_RDWR | O_CREAT | O_CLOEXEC) }
        if file >= 0 {
            var info = stat()
            try attempt(.stat) { fstat(file, &info) }
            if !missing.contains(.modes) { try attempt(.chmod) { fchmod(file, 0o640) } }
            try attempt(.close) { close(file) }
        }
        try attempt(.rename) { [folder] in renameat(folder, name, folder, other) }
        if !missing.contains(.symbolicLinks) { try linkSymbolically("s\(number)") }
        try attempt(.mkdir, tolerating: [.fileExists]) { [folder] in mkdirat(folder, "d\(number)", 0o755) }
        try listFolder()
        var info = stat()
        try attempt(.stat) { [folder] in fstatat(folder, other, &info, AT_SYMLINK_NOFOLLOW) }
        if info.st_mode & S_IFMT != S_IFREG { mismatch(.stat) }
        let missing = try attempt(.lookup, tolerating: [.noSuchFileOrDirectory]) { [folder] in
            fstatat(folder, "missing", &info, AT_SYMLINK_NOFOLLOW)
        }
        if missing == 0 { mismatch(.lookup) }
        // A signal may come after the daemon did its part: the second try then finds nothing.
        try attempt(.rmdir, tolerating: [.noSuchFileOrDirectory]) { [folder] in
            unlinkat(folder, "d\(number)", AT_REMOVEDIR)
        }
        for left in ["s\(number)", other] {
            try attempt(.unlink, tolerating: [.noSuchFileOrDirectory]) { [folder] in unlinkat(folder, left, 0) }
        }
    }

    private func linkSymbolically(_ name: String) throws(Errno) {
        try attempt(.symlink, tolerating: [.fileExists]) { [folder] in symlinkat("target", folder, name) }
        var target = [CChar](repeating: 0, count: 64)
        let length = try attempt(.readlink) { [folder] in readlinkat(folder, name, &target, 64) }
        if length >= 0 && length != 6 { mismatch(.readlink) }
    }

    private func listFolder() throws(Errno) {
        let list = try attempt(.readdir) { [folder] in openat_(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard list >= 0 else { return }
        defer { close(list) }
        while try attempt(.readdir, { [buffer] in clinux_getdents64(list, buffer, 32 << 10) }) > 0 {}
    }

    /// Reads a whole file back, through the page cache or past it, and checks every byte.
    func readStep() throws(Errno) {
        let file = random.next() % UInt64(LoadFiles.count)
        if versions[Int(file)] == 0 { return try writeFile(file, direct: false, synced: false) }
        let direct = random.next() % 2 == 0
        guard let descriptor = try openData(file, flags: O_RDONLY, direct: direct) else { return }
        defer { close(descriptor) }
        let bytes = LoadFiles.blocks(in: file) * LoadBlock.size
        for _ in 0..<4 {
            try readAndCheck(descriptor, file: file, bytes: bytes, operation: direct ? .directRead : .read)
        }
    }

    /// Writes a new version of a whole file; every other time with an fsync that is then written down.
    func writeStep() throws(Errno) {
        let file = random.next() % UInt64(LoadFiles.count)
        try writeFile(file, direct: random.next() % 4 == 0, synced: random.next() % 2 == 0)
    }

    /// Changes a file through a shared mapping and has it written back.
    func mappedStep() throws(Errno) {
        let file = random.next() % UInt64(LoadFiles.count)
        if versions[Int(file)] == 0 { return try writeFile(file, direct: false, synced: false) }
        guard let descriptor = try openData(file, flags: O_RDWR, direct: false) else { return }
        defer { close(descriptor) }
        let bytes = LoadFiles.blocks(in: file) * LoadBlock.size
        status.set(.current, LoadOperation.mapped.rawValue)
        let memory = Glibc.mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
        // Told apart before; a mount whose memory is short may refuse one all the same.
        guard let memory, memory != MAP_FAILED else { return }
        defer { munmap(memory, bytes) }
        let version = versions[Int(file)] + 1
        for block in 0..<LoadFiles.blocks(in: file) {
            let place = memory + block * LoadBlock.size
            check(place, file: file, block: block, operation: .mapped)
            LoadBlock(client: options.id, file: file, block: UInt64(block), version: version).store(to: place)
            status.add(.operations)
        }
        if random.next() % 2 == 0, !missing.contains(.fsync) {
            try attempt(.mappedSync) { msync(memory, bytes, MS_SYNC) }
            writeDown(file, version)
        }
        versions[Int(file)] = version
    }

    private func writeFile(_ file: UInt64, direct: Bool, synced: Bool) throws(Errno) {
        guard let descriptor = try openData(file, flags: O_RDWR | O_CREAT, direct: direct) else { return }
        var isOpen = true
        defer { if isOpen { close(descriptor) } }
        let count = LoadFiles.blocks(in: file)
        let version = versions[Int(file)] + 1
        for block in 0..<count {
            LoadBlock(client: options.id, file: file, block: UInt64(block), version: version)
                .store(to: buffer + block * LoadBlock.size)
        }
        // In pieces of one block up to all of them.
        let piece = 1 << Int(random.next() % 6)
        var block = 0
        while block < count {
            let bytes = min(piece, count - block) * LoadBlock.size
            let place = buffer + block * LoadBlock.size, offset = off_t(block * LoadBlock.size)
            let written = try attempt(direct ? .directWrite : .write) { pwrite(descriptor, place, bytes, offset) }
            if written != bytes {
                // A signal can cut a write short: the rest again, in whole blocks.
                if written < LoadBlock.size { continue }
            }
            block += written / LoadBlock.size
        }
        // From here on the file has at least the old version in every block, and this one unless a stop comes between.
        versions[Int(file)] = version
        if synced && !missing.contains(.fsync) {
            try attempt(.fsync) { fsync(descriptor) }
            try attempt(.fsyncDirectory, tolerating: [.invalidArgument]) { [folder] in fsync(folder) }
            writeDown(file, version)
        }
        isOpen = false
        try attempt(.close, tolerating: [.badFileDescriptor]) { close(descriptor) }
    }

    private func openData(_ file: UInt64, flags: CInt, direct: Bool) throws(Errno) -> CInt? {
        let name = LoadFiles.name(file)
        if direct && !missing.contains(.directIO) {
            let result = try attempt(.open, tolerating: [.invalidArgument]) { [folder] in
                openat_(folder, name, flags | CLINUX_O_DIRECT | O_CLOEXEC)
            }
            if result >= 0 { return result }
        }
        let result = try attempt(.open) { [folder] in openat_(folder, name, flags | O_CLOEXEC) }
        return result >= 0 ? result : nil
    }

    private func readAndCheck(_ descriptor: CInt, file: UInt64, bytes: Int, operation: LoadOperation) throws(Errno) {
        var done = 0
        while done < bytes {
            let place = buffer + done
            let count = try attempt(operation) { pread(descriptor, place, bytes - done, off_t(done)) }
            if count < LoadBlock.size {
                // Short of the file's end: a signal can do that, a file that is too short shows here.
                if count == 0 { return mismatch(operation) }
                continue
            }
            for block in 0..<count / LoadBlock.size {
                check(
                    place + block * LoadBlock.size, file: file, block: done / LoadBlock.size + block,
                    operation: operation)
            }
            done += count / LoadBlock.size * LoadBlock.size
        }
    }

    private func check(_ memory: UnsafeRawPointer, file: UInt64, block: Int, operation: LoadOperation) {
        let expected = LoadBlock(
            client: options.id, file: file, block: UInt64(block), version: versions[Int(file)])
        if LoadBlock(from: memory) != expected { mismatch(operation) }
    }

    private func mismatch(_ operation: LoadOperation) {
        if status.words[LoadStatus.Slot.mismatches.rawValue] == 0 { status.set(.mismatchOperation, operation.rawValue) }
        status.add(.mismatches)
    }

    /// After the fsync was acknowledged, and not a moment earlier. Version 0: the file is no longer promised. The sum
    /// says that the line is whole.
    func writeDown(_ file: UInt64, _ version: UInt64) {
        let line = "\(file) \(version) \(file &+ version)\n"
        _ = line.withCString { write(ledger, $0, strlen($0)) }
        if version > 0 { status.add(.synced) }
    }
}
