import Foundation
import SystemPackage

/// A work tree of a git repository, beside its own.
struct WorkTree {
    let folder: FilePath
    private let repository: FilePath

    /// - Parameter folder: not there yet.
    init(_ folder: FilePath, of repository: FilePath, at commit: String) throws(VirtualMachineError) {
        (self.folder, self.repository) = (folder, repository)
        // What a killed search has left; and of a work tree whose folder somebody removed git still knows.
        _ = try? Self.git(["worktree", "remove", "--force", folder.string], in: repository)
        try Self.git(["worktree", "prune"], in: repository)
        try Self.git(["worktree", "add", "-q", "--force", "--detach", folder.string, commit], in: repository)
    }

    @discardableResult
    func git(_ words: [String]) throws(VirtualMachineError) -> String { try Self.git(words, in: folder) }

    /// `1a2b3c4d fuse: end requests that nobody waits for`.
    func title(of commit: String) throws(VirtualMachineError) -> String {
        try git(["log", "-1", "--format=%h %s", commit]).trimmingCharacters(in: .newlines)
    }

    func remove() {
        _ = try? Self.git(["worktree", "remove", "--force", folder.string], in: repository)
    }

    /// The id of a revision.
    static func commit(_ revision: String, in folder: FilePath) throws(VirtualMachineError) -> String {
        try git(["rev-parse", "--verify", "--end-of-options", "\(revision)^{commit}"], in: folder)
            .trimmingCharacters(in: .newlines)
    }

    @discardableResult
    private static func git(_ words: [String], in folder: FilePath) throws(VirtualMachineError) -> String {
        try HostProgram.run(
            ["git", "-C", folder.string] + words, package: "git",
            environment: ["LC_ALL": "C.UTF-8", "GIT_PAGER": "cat", "GIT_EDITOR": "true"])
    }
}
