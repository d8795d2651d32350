import LinuxSystem
import SystemPackage
import Testing

@testable import LoopbackFS

@Suite("Passthrough")
struct PassthroughFilesTests {
    @Test func opensOfOneInodeGoTheSameWay() {
        let files = PassthroughFiles()
        let registered = Lock<[Int32]>([])
        files.setRegistration(
            register: { descriptor in
                registered.withLock { $0.append(descriptor) }
                return descriptor
            },
            unregister: { backing in registered.withLock { $0.removeAll { $0 == backing } } })
        // The first open decides, as long as one is there.
        #expect(files.open(1, descriptor: 10) { false } == nil)
        #expect(files.open(1, descriptor: 11) { true } == nil)
        #expect(files.open(2, descriptor: 20) { true } == 20)
        #expect(files.open(2, descriptor: 21) { false } == 20)
        files.release(1)
        #expect(files.open(1, descriptor: 12) { true } == nil)
        for _ in 0..<2 { files.release(1) }
        #expect(files.open(1, descriptor: 13) { true } == 13)
        #expect(registered.withLock { $0 } == [20, 13])
        for node: UInt64 in [1, 2, 2] { files.release(node) }
        #expect(registered.withLock { $0 } == [])
    }

    @Test func refusedRegistrationIsNotTriedAgainWhileOpen() {
        let files = PassthroughFiles()
        let tries = Lock(0)
        files.setRegistration(
            register: { _ throws(Errno) in
                tries.withLock { $0 += 1 }
                throw .tooManySymbolicLinkLevels
            },
            unregister: { _ in Issue.record("nothing was registered") })
        for _ in 0..<3 { #expect(files.open(1, descriptor: 10) { true } == nil) }
        for _ in 0..<3 { files.release(1) }
        #expect(tries.withLock { $0 } == 1)
    }
}
