import BenchCore
import Foundation
import Testing

@testable import TestMatrix

@Suite struct PlanTests {
    private var configuration: MatrixConfiguration {
        var configuration = MatrixConfiguration()
        configuration.depths = [1, 8]
        configuration.cycles = 2
        return configuration
    }

    @Test func depthsAreForRingsOnly() {
        let plan = MatrixPlan(configuration, seed: 1)
        let keys = plan.entries.filter { $0.cell.suite == "correctness" && $0.cell.cycle == 1 }.map(\.cell.key)
        #expect(
            keys == [
                "correctness/legacy", "correctness/uring-single/depth-1", "correctness/uring-single/depth-8",
                "correctness/uring-percore/depth-1", "correctness/uring-percore/depth-8",
            ])
        #expect(plan.entries.count == 4 * 5 * 2)
        #expect(Set(plan.entries.map(\.cell.folder)).count == plan.entries.count)
    }

    @Test func mountOptionsAreForOurTransports() {
        var configuration = MatrixConfiguration()
        configuration.suites = ["correctness", "stop-path"]
        configuration.targets = [.init(transport: .legacy), .init(label: "other", command: "d {source} {mountpoint}")]
        configuration.mountOptions = ["none", "writeback,direct_io"]
        let plan = MatrixPlan(configuration, seed: 1)
        #expect(
            plan.entries.map(\.cell.key) == [
                "correctness/legacy", "correctness/legacy+writeback,direct_io", "correctness/other", "stop-path/legacy",
                "stop-path/legacy+writeback,direct_io", "stop-path/other",
            ])
        #expect(configuration.problems.isEmpty)
        let commands = plan.entries.map {
            SuiteCommand(configuration: configuration, program: "p").arguments($0, output: "o")
        }
        for command in [commands[1], commands[4]] {
            #expect(command.joined(separator: " ").contains("--transport legacy --mount-option writeback,direct_io"))
        }
        for command in [commands[0], commands[2], commands[3], commands[5]] {
            #expect(!command.contains("--mount-option"))
        }
        configuration.mountOptions = ["pairs"]
        let labels = MatrixPlan(configuration, seed: 1).entries.map(\.cell.target)
        #expect(Set(labels).count > 6)
        #expect(labels == MatrixPlan(configuration, seed: 1).entries.map(\.cell.target))
    }

    @Test func kernelsAndTheirCPUsAreColumns() throws {
        var configuration = MatrixConfiguration()
        configuration.suites = ["stop-path", "xfstests"]
        configuration.targets = [
            .init(transport: .legacy), .init(label: "b", command: "/x/daemon {source} {mountpoint}"),
        ]
        configuration.kernels = ["host", "deb:6.18", "mine=/src/linux"].map(MatrixConfiguration.KernelChoice.init)
        configuration.guests.cpus = [2, 8]
        configuration.guests.copies = ["/lib/x:/y"]
        configuration.guests.append = ["kasan.fault=panic"]
        #expect(configuration.problems.isEmpty)
        let entries = MatrixPlan(configuration, seed: 1).entries
        #expect(
            entries.filter { $0.cell.target == "legacy" }.map(\.cell.key) == [
                "stop-path/legacy", "xfstests/legacy", "stop-path/6.18/legacy", "xfstests/6.18/legacy",
                "stop-path/6.18+8cpus/legacy", "xfstests/6.18+8cpus/legacy", "stop-path/mine/legacy",
                "xfstests/mine/legacy", "stop-path/mine+8cpus/legacy", "xfstests/mine+8cpus/legacy",
            ])
        #expect(Set(entries.map(\.cell.folder)).count == entries.count)
        // Kernels differ, and nothing else does.
        #expect(
            Set(entries.filter { $0.cell.suite == "stop-path" && $0.cell.target == "legacy" }.map(\.seed)).count == 1)

        let command = SuiteCommand(configuration: configuration, program: "/bin/p")
        func line(_ key: String) -> String {
            entries.first { $0.cell.key == key }.map { command.arguments($0, output: "/out").joined(separator: " ") }
                ?? ""
        }
        #expect(line("stop-path/legacy").hasPrefix("/bin/p stop-path --json --output /out"))
        #expect(!line("stop-path/legacy").contains("--allow-host-changes"))
        let guest = line("stop-path/mine+8cpus/b")
        #expect(guest.hasPrefix("/bin/p vm suite --kernel /src/linux --cpus 8 --memory 1536 --accel auto"))
        #expect(guest.contains(" --append kasan.fault=panic --copy /x/daemon --copy /lib/x:/y "))
        #expect(guest.contains(" --output /out --resume -- fstestkit stop-path --json --output /run/results --daemon"))
        // Nobody else works on that machine.
        #expect(guest.hasSuffix(" --allow-host-changes"))
    }

    @Test func aSuiteThatIsADaemonItselfIsRunOnEachKernelOnce() {
        var configuration = MatrixConfiguration()
        configuration.suites = ["ring-fuzz"]
        configuration.kernels = ["host", "deb:7.3"].map(MatrixConfiguration.KernelChoice.init)
        configuration.quick = true
        let plan = MatrixPlan(configuration, seed: 1)
        #expect(plan.entries.map(\.cell.key) == ["ring-fuzz/kernel", "ring-fuzz/7.3/kernel"])
        let cells = MatrixRunner.cells(plan, shard: nil, availability: Availability())
        // The machine itself is not for that.
        #expect(cells.map(\.state) == [.leftOut, .planned])
        let line = SuiteCommand(configuration: configuration, program: "p").arguments(plan.entries[1], output: "/out")
            .joined(separator: " ")
        #expect(line.contains(" --resume -- fstestkit ring-fuzz --json --output /run/results --seed "))
        #expect(line.hasSuffix(" --cases 25 --allow-host-changes"))
    }

    @Test func whatAGuestLacksItSaysItself() {
        var configuration = MatrixConfiguration()
        configuration.suites = ["stop-path", "xfstests"]
        configuration.targets = [.init(transport: .uringSingle)]
        configuration.kernels = ["deb:6.18", "deb:9"].map(MatrixConfiguration.KernelChoice.init)
        let host = Availability(ring: "switched off", root: "needs root", kernels: ["deb:9": "there is none"])
        let cells = MatrixRunner.cells(MatrixPlan(configuration, seed: 1), shard: nil, availability: host)
        #expect(
            cells.map(\.reason) == [
                "", "no checkout of xfstests is named (--xfstests DIR or XFSTESTS_DIR)", "there is none",
                "there is none",
            ])
    }

    @Test(
        arguments: [
            ("host", "host", nil), ("deb:7.3", "7.3", "deb:7.3"), ("/a/b/bzImage", "bzImage", "/a/b/bzImage"),
            ("new=deb:7", "new", "deb:7"), ("/a=b/c", "c", "/a=b/c"), ("/a/linux/", "linux", "/a/linux"),
        ] as [(String, String, String?)])
    func kernelsHaveNames(text: String, label: String, specification: String?) {
        let kernel = MatrixConfiguration.KernelChoice(text)
        #expect((kernel.label, kernel.specification) == (label, specification))
    }

    @Test func twoKernelsOfOneNameAreRefused() {
        var configuration = MatrixConfiguration()
        configuration.kernels = ["/a/linux", "/b/linux"].map(MatrixConfiguration.KernelChoice.init)
        #expect(configuration.problems == ["the kernel 'linux' is there twice; give one of them another name"])
        configuration.kernels = [.host]
        configuration.guests.isSteady = true
        configuration.guests.accelerator = "kvm"
        #expect(configuration.problems.count == 1)
    }

    @Test func seedsFollowFromTheRunsSeed() {
        let seeds = MatrixPlan(configuration, seed: 1).entries.map(\.seed)
        #expect(seeds == MatrixPlan(configuration, seed: 1).entries.map(\.seed))
        #expect(Set(seeds).count == seeds.count)
        #expect(seeds != MatrixPlan(configuration, seed: 2).entries.map(\.seed))
    }

    @Test func shardsCoverThePlanOnce() throws {
        let plan = MatrixPlan(configuration, seed: 1)
        for count in [1, 2, 7] {
            let assignment = ShardAssignment(cells: plan.entries.count, inTurnTo: count)
            let owned = (1...count).flatMap { assignment.cells(of: Shard(index: $0, count: count)) }
            #expect(owned.sorted() == Array(plan.entries.indices))
        }
        #expect(Shard("2/3") == Shard(index: 2, count: 3))
        for text in ["0/3", "4/3", "1", "1/", "a/b", "1/2/3", "-1/2", ""] { #expect(Shard(text) == nil) }
    }

    @Test func thePlanIsAJobMatrix() throws {
        struct Jobs: Decodable {
            struct Job: Decodable {
                struct Cell: Decodable { let key: String }
                let name, shard: String
                let seed: UInt64
                let cells: [Cell]
            }
            let include: [Job]
        }
        let plan = MatrixPlan(configuration, seed: 5)
        let single = try JSONDecoder().decode(Jobs.self, from: Data(plan.json(shards: nil).utf8))
        #expect(single.include.count == 40)
        #expect(single.include[1].name == "correctness/uring-single/depth-1")
        #expect(single.include[1].shard == "2/40")
        let few = try JSONDecoder().decode(Jobs.self, from: Data(plan.json(shards: 4).utf8))
        #expect(few.include.flatMap(\.cells).map(\.key).sorted() == plan.entries.map(\.cell.key).sorted())
        #expect(few.include.allSatisfy { $0.seed == 5 })
        let text = try plan.json(shards: 4)
        #expect(!text.contains("\n"))
    }

    @Test func whatCannotBeRunIsLeftOutWithAReason() {
        let plan = MatrixPlan(MatrixConfiguration(), seed: 1)
        let machine = Availability(ring: "switched off", root: "needs root")
        let cells = MatrixRunner.cells(plan, shard: nil, availability: machine)
        let reasons = Dictionary(uniqueKeysWithValues: cells.map { ($0.cell.key, $0.reason) })
        #expect(reasons["correctness/legacy"] == "")
        #expect(reasons["correctness/uring-single"] == "switched off")
        #expect(reasons["stop-path/legacy"] == "needs root")
        #expect(reasons["xfstests/legacy"]?.contains("XFSTESTS_DIR") == true)
        let none = MatrixRunner.cells(plan, shard: nil, availability: Availability(fuse: "no fuse"))
        #expect(none.allSatisfy { $0.state == .leftOut && $0.reason == "no fuse" })
        var foreign = MatrixConfiguration()
        foreign.targets = [.init(command: "no-such-daemon {source}"), .init(command: "sh {source}")]
        let others = MatrixRunner.cells(MatrixPlan(foreign, seed: 1), shard: nil, availability: Availability())
        #expect(others[0].reason == "there is no program 'no-such-daemon'")
        #expect(others[1].state == .planned)
        var inMemory = MatrixConfiguration()
        inMemory.suites = ["correctness", "hostile-source"]
        inMemory.targets = [.init(command: "sh {mountpoint}")]
        let without = MatrixRunner.cells(MatrixPlan(inMemory, seed: 1), shard: nil, availability: Availability())
        #expect(without.map(\.reason) == ["", "the daemon's command names no {source}"])
    }

    @Test func commandsSayWhatTheCellIs() {
        var configuration = MatrixConfiguration()
        configuration.quick = true
        configuration.depths = [8]
        configuration.xfstests = "/x"
        configuration.targets += [.init(label: "b", command: "bindfs -f {source} {mountpoint}", cleanStatuses: [1])]
        configuration.ownSuites = [.init(name: "mine", command: "run 'a b' {target} {seed} {depth}")]
        configuration.suites.append("mine")
        let entries = MatrixPlan(configuration, seed: 1).entries
        let command = SuiteCommand(configuration: configuration, program: "fstestkit")
        func line(_ key: String, isResumed: Bool = false) -> String {
            let entry = entries.first { $0.cell.key == key }
            return entry.map { command.arguments($0, output: "/out", isResumed: isResumed).joined(separator: " ") }
                ?? ""
        }
        #expect(line("stop-path/uring-single/depth-8").contains("--transport uring-single --depth 8 --seed"))
        #expect(line("stop-path/uring-single/depth-8").hasSuffix("--quick"))
        #expect(line("correctness/uring-single/depth-8").hasSuffix("--quick"))
        #expect(line("stop-path/b").contains("--daemon bindfs -f {source} {mountpoint} --clean-status 1 --label b"))
        #expect(line("xfstests/legacy", isResumed: true).hasSuffix("--xfstests /x -g quick --resume"))
        #expect(line("mine/uring-single/depth-8").hasPrefix("run a b uring-single "))
        #expect(line("mine/uring-single/depth-8").hasSuffix(" 8"))
    }
}
