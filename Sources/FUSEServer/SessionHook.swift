package import SystemPackage

/// What takes the place of a session's parts, or stands before them: chosen once, at the session's start. `Faults` has the only one,
/// so that it can be tested that somebody notices what a daemon does wrong.
package protocol SessionHook: AnyObject, Sendable {
    /// The mount, as the session shall know it.
    func connection(_ connection: Connection) -> Connection
    func fileSystem(_ fileSystem: any FileSystem) -> any FileSystem
    func transport(_ transport: any Transport) -> any Transport
    /// Where the session learns of signals: a signalfd(2), or a descriptor that never becomes readable.
    func signals(_ signals: FileDescriptor) -> FileDescriptor
    /// The session serves.
    func sessionRuns(on connection: Connection)
    /// The session has ended, and has taken back all that it could.
    func sessionEnded(on connection: Connection)
}
