import FUSEProtocol
import FUSEServer
import Testing

@testable import TransportURing

/// What becomes of the settings of pools and zero copy, by kernel and privileges.
@Suite struct PayloadPlanTests {
    private let limits = Limits(maxWrite: 1 << 20, pageLimit: 256, pageSize: 4096)

    private func plan(
        pool: PayloadSetting.Pool = .automatic, registered: Bool? = nil, zeroCopy: Bool? = nil, queues: Int = 2,
        depth: Int = 8, kernel: InitFlags = [.overIOURing, .bufferPools], privileged: Bool = true
    ) throws(TransportError) -> PayloadPlan {
        var setting = PayloadSetting()
        (setting.pool, setting.isRegistered, setting.zeroCopy) = (pool, registered, zeroCopy)
        return try PayloadPlan(
            setting, queues: queues, depth: depth, limits: limits, offered: kernel, isPrivileged: privileged)
    }

    private func isUnavailable(_ body: () throws(TransportError) -> PayloadPlan) -> Bool {
        do throws(TransportError) {
            _ = try body()
            return false
        } catch .unavailable {
            return true
        } catch {
            return false
        }
    }

    @Test func allOfItWhereKernelAndPrivilegesGiveIt() throws {
        let plan = try plan()
        #expect(plan.pool?.buffersPerQueue == 8 && plan.pool?.bufferSize == 1 << 20)
        #expect(plan.zeroCopy == .wanted && plan.reason == nil)
    }

    @Test func olderKernelsAreLeftAlone() throws {
        let plan = try plan(kernel: .overIOURing)
        #expect(plan.pool == nil && plan.registration == .off && plan.zeroCopy == .off)
        #expect(plan.reason?.contains("Linux 7.3") == true)
        #expect(
            isUnavailable { () throws(TransportError) in try self.plan(pool: .bytes(4 << 20), kernel: .overIOURing) })
        #expect(isUnavailable { () throws(TransportError) in try self.plan(zeroCopy: true, kernel: .overIOURing) })
    }

    @Test func whoAsksForNothingGetsNothing() throws {
        #expect(try plan(pool: .off, zeroCopy: false).pool == nil)
        #expect(try plan(zeroCopy: false).zeroCopy == .off)
        #expect(isUnavailable { () throws(TransportError) in try self.plan(pool: .off, zeroCopy: true) })
    }

    @Test func zeroCopyTakesPrivileges() throws {
        let plan = try plan(privileged: false)
        #expect(plan.pool != nil && plan.zeroCopy == .off && plan.reason?.contains("CAP_SYS_ADMIN") == true)
        #expect(isUnavailable { () throws(TransportError) in try self.plan(zeroCopy: true, privileged: false) })
    }

    @Test func whatWasAskedForByNameIsDemanded() throws {
        let plan = try plan(registered: true, zeroCopy: true, queues: 64)
        #expect(plan.registration == .demanded && plan.zeroCopy == .demanded)
    }

    @Test(arguments: [(1, 8), (2, 8), (8, 6), (16, 3), (64, 2), (256, 2)])
    func buffersByTheNumberOfQueues(queues: Int, buffers: Int) throws {
        #expect(try plan(queues: queues).pool?.buffersPerQueue == buffers)
    }

    @Test func neverMoreBuffersThanEntries() throws {
        #expect(try plan(queues: 1, depth: 1).pool?.buffersPerQueue == 1)
        #expect(try plan(pool: .bytes(64 << 20), depth: 4).pool?.buffersPerQueue == 4)
        #expect(try plan(pool: .bytes(4 << 20), depth: 64).pool?.buffersPerQueue == 4)
    }

    @Test func aPoolWithoutRoom() {
        #expect(isUnavailable { () throws(TransportError) in try self.plan(pool: .bytes((1 << 20) - 1)) })
    }
}
