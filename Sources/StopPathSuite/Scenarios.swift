/// All scenarios of the catalogue, in its order.
public enum Scenarios {
    public static let all: [any Scenario] = [
        KillUnderIO(), KillInDispatch(), UnmountVersusRegister(), AbortVersusCommit(), AbortCloseLoop(),
        TimeoutAndCancel(),
        AbortUncommitted(), ClientKilledWhileQueued(), InterruptedClients(), BogusCommit(), ParallelRegister(),
        RingNeverReady(), SetupRefused(), EarlyRegister(), QueueThreadFails(), StartupAllocationFails(),
        IdleTerminate(),
        DeferredReplyStop(), OffThreadReply(), BadEntryInBatch(), NoReplyStorm(), CommitIDs(), EntryReuse(),
        LateSecondUnmount(), LazyUnmountOpenFile(), RandomTerminate(), AutoUnmountKill(), BlockedHandlerAbort(),
        BackgroundLimit(), Reclaim(), SyncStoppedDaemon(), AsynchronousThenClose(), StopInProcess(),
        CancelVersusComplete(),
        UndrainedCommands(), CPUOffline(), StopForceUnmount(), KillOneQueueThread(), StopWhileStopping(),
        UnmountBusyThenIdle(), ForkHoldsDevice(), NamespaceExit(), EqualLoads(), PoolRunsDry(), KillWithPages(),
        AbortRegisteredPool(), AddressSpaceLimit(), StopAtDepthOne(), LocksBehindPool(),
        NotificationStormUnderLoad(),
    ]

    /// By name or number; nil if there is none.
    public static func named(_ name: String) -> (any Scenario)? {
        all.first { $0.name == name || "\($0.number)" == name }
    }
}
