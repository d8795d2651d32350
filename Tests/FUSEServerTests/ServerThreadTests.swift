import LinuxSystem
import Testing

@testable import FUSEServer

@Suite struct ServerThreadTests {
    private final class Held: Sendable {}

    /// Deferred work holds the file it works on: an ended thread that still did would keep a deleted file's space.
    @Test func anEndedThreadLetsGoOfWhatItsBodyHeld() throws {
        weak var observer: Held?
        let thread: ServerThread
        do {
            let held = Held()
            observer = held
            thread = try ServerThread.start(name: "test") { [held] in _ = held }
        }
        #expect(ServerThread.join([thread], until: Deadline(secondsFromNow: 10)).isEmpty)
        #expect(observer == nil)
        withExtendedLifetime(thread) {}
    }
}
