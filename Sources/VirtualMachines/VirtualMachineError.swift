package import SystemPackage

/// Why no guest was to be had. Sentences for people are made at the command line.
package enum VirtualMachineError: Error, Equatable {
    /// Programs of the host that are not there, and the Debian packages that have them.
    case missingPrograms([String], packages: [String])
    /// A program of the host that failed: its command line, how it ended and the last lines that it said.
    case programFailed([String], status: String, said: [String])
    /// No mirror of Debian stands in the machine's own apt sources.
    case noDebianMirror
    /// The mirror has no kernel of that version; these are there.
    case noSuchKernel(String, known: [String])
    /// No fragment of a configuration has that name.
    case noSuchFragment(String)
    /// One end of a bisection is not what it was said to be.
    case wrongEnd(String, expected: Bisection.Verdict, found: Bisection.Verdict)
    /// What was named is no kernel that could be started.
    case notAKernel(FilePath, why: String)
    /// Guests of this processor architecture are not known here.
    case unknownArchitecture(String)
    /// Another process makes something in the cache right now.
    case cacheInUse(FilePath)
    /// A system call failed on a path.
    case system(FilePath, Errno)
}
