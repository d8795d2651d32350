import Testing

@testable import SpeedSuite

@Suite struct UserModeSpansTests {
    /// Thread 7 reads and writes; the second time another thread comes in between.
    private static let trace = """
        # tracer: nop
           ring 0 x-1-7       [000] .....     1000: sys_exit: NR 0 = 4096
           ring 0 x-1-7       [000] .....     1300: sys_enter: NR 1 (5, 7f00, 10, 0, 0, 0)
           ring 0 x-1-7       [000] .....     2000: sys_exit: NR 1 = 16
           ring 0 x-1-7       [000] .....     2100: sys_enter: NR 0 (5, 7f00, 10, 0, 0, 0)
           ring 0 x-1-7       [000] .....     3000: sys_exit: NR 0 = 4096
           ring 0 x-1-7       [000] d..2.     3100: sched_switch: prev_comm=ring 0 x-1 prev_pid=7 prev_prio=120 prev_state=R ==> next_comm=fio next_pid=9 next_prio=120
                 fio-9        [000] .....     3200: sys_exit: NR 0 = 1
                 fio-9        [000] d..2.     9100: sched_switch: prev_comm=fio prev_pid=9 prev_prio=120 prev_state=S ==> next_comm=ring 0 x-1 next_pid=7 next_prio=120
           ring 0 x-1-7       [000] .....     9400: sys_enter: NR 1 (5, 7f00, 10, 0, 0, 0)
        """

    @Test func onlyItsOwnTimeIsCounted() {
        let spans = UserModeSpans(trace: UserModeSpansTests.trace, threads: [7])
        #expect(spans.count == 3)
        // 300 after the first read, 100 after the write, and again what a read's span usually is.
        #expect(spans.total == 700)
    }

    @Test func anEmptyTraceHasNothing() {
        let spans = UserModeSpans(trace: "# tracer: nop\n", threads: [7])
        #expect(spans.count == 0 && spans.total == 0 && spans.usual == nil)
    }
}
