import CLinux
import Glibc

/// Looks through the source at the end: is all that is there its maker's?
struct SourceSurvey {
    private let root: String

    init(_ root: String) { self.root = root }

    /// Tells of each file that is not as its maker would have made it.
    func walk(_ report: (String) -> Void) { walk(root, report) }

    private func walk(_ path: String, _ report: (String) -> Void) {
        guard let stream = opendir(path) else { return }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                String(decoding: raw.prefix(while: { $0 != 0 }), as: UTF8.self)
            }
            if name == "." || name == ".." { continue }
            let below = path + "/" + name
            var status = stat()
            guard lstat(below, &status) == 0 else { continue }
            if let violation = violation(below, status) { report("\(below.dropFirst(root.count + 1)) \(violation)") }
            if status.st_mode & S_IFMT == S_IFDIR { walk(below, report) }
        }
    }

    private func violation(_ path: String, _ status: stat) -> String? {
        let owner = "\(status.st_uid):\(status.st_gid)"
        if let actor = Actor.users.first(where: { $0.user == status.st_uid }) {
            // A directory that the adversary gave away has kept the group that it was made with.
            let isGiven = status.st_mode & S_IFMT == S_IFDIR && status.st_mode & 0o777 != actor.directoryMode
            if !isGiven && !Actor.mayOwn(status.st_uid, status.st_gid) {
                return "is \(owner): \(actor.name) has not that group"
            }
        }
        if status.st_mode & S_IFMT == S_IFDIR,
            let maker = Actor.users.first(where: { $0.directoryMode == status.st_mode & 0o777 }),
            maker.user != status.st_uid
        {
            return "was made by \(maker.name) and is \(owner)"
        }
        if status.st_mode & S_IFMT == S_IFLNK {
            var buffer = [UInt8](repeating: 0, count: 256)
            let count = buffer.withUnsafeMutableBytes { readlink(path, $0.baseAddress!, $0.count) }
            let words = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self).split(separator: "-")
            if words.first == "by", words.count == 3, let maker = UInt32(words[1]), maker != status.st_uid {
                return "was made by \(maker) and is \(owner)"
            }
        }
        return nil
    }
}
