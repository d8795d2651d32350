/// What a guest's machine is like.
package struct MachineSettings: Sendable {
    package enum Accelerator: String, CaseIterable, Sendable {
        /// KVM where it works, else emulation.
        case auto
        case kvm
        case tcg
    }

    package var cpus = 2
    /// CPUs that may ever be there, if they are more.
    package var possibleCPUs: Int?
    /// NUMA nodes, over which CPUs and memory are spread in equal parts.
    package var nodes = 1
    /// In MiB.
    package var memory = 1536
    /// On the kernel's command line, after our own.
    package var append: [String] = []
    package var accelerator = Accelerator.auto
    /// The guest's clock counts instructions, so that no load on the host trips a deadline. Emulated, by one thread.
    package var isSteady = false
    /// How long a guest may say nothing.
    package var silence: Duration = .seconds(300)
    /// How long its kernel may then take for each of the two lists of stacks.
    var stacksTime: Duration = .seconds(4)

    package init() {}

    /// Words for the kernel.
    func commandLine(kvm: Bool) -> String {
        var words = [
            "console=ttyS0", "panic=1", "oops=panic", "mitigations=off", "tsc=reliable", "nowatchdog", "no_timer_check",
            "sysrq_always_enabled",
        ]
        // Each emulated CPU would measure how long its loops take, and on a busy machine with many of them not come to an end.
        if !kvm { words.append("lpj=4000000") }
        if let possibleCPUs, possibleCPUs > cpus { words.append("maxcpus=\(cpus)") }
        return (words + append).joined(separator: " ")
    }

    /// For people.
    func acceleratorName(kvm: Bool) -> String { kvm ? "kvm" : isSteady ? "tcg, counting instructions" : "tcg" }

    /// Words for QEMU: what is not of one guest.
    func arguments(kvm: Bool) -> [String] {
        let accelerator = kvm ? "kvm" : isSteady ? "tcg,thread=single" : "tcg,thread=multi"
        let processors = max(cpus, possibleCPUs ?? 0)
        return [
            "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-M", "pc", "-cpu", "max",
            "-accel", accelerator, "-smp", "\(processors)", "-m", "\(memory)",
        ] + nodeArguments(processors) + (isSteady ? ["-icount", "shift=0,sleep=off"] : [])
    }

    private func nodeArguments(_ processors: Int) -> [String] {
        if nodes < 2 { return [] }
        return (0..<nodes).flatMap { node in
            let (first, next) = (node * processors / nodes, (node + 1) * processors / nodes)
            // Each node's share; the last one takes what is left.
            let share = node == nodes - 1 ? memory - memory / nodes * node : memory / nodes
            let range = next > first ? ",cpus=\(first)-\(next - 1)" : ""
            return [
                "-object", "memory-backend-ram,id=node\(node),size=\(share)M", "-numa",
                "node,nodeid=\(node),memdev=node\(node)\(range)",
            ]
        }
    }
}
