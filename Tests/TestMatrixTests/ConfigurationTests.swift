import BenchCore
import Testing

@testable import TestMatrix

@Suite struct ConfigurationTests {
    private let text = """
        suites: [correctness, mine]
        transports: all
        depths: [1, 8]
        cycles: 3
        own-suites:
          - name: mine
            command: "./run {target}"
        arguments:
          xfstests: [-g, auto]
        """

    private func origin(_ resolved: ResolvedConfiguration, _ key: String) -> String? {
        resolved.settings.first { $0.key == key }?.origin
    }

    @Test func flagsWinOverTheFileAndDefaultsComeLast() throws {
        let file = try ConfigurationFile.parse(text, path: "ci/fstestkit.yaml")
        var flags = ConfigurationLayer()
        flags.cycles = 5
        flags.origins["cycles"] = "--cycles"
        let resolved = ResolvedConfiguration([flags, file])
        #expect(resolved.configuration.cycles == 5)
        #expect(resolved.configuration.depths == [1, 8])
        #expect(resolved.configuration.arguments == ["xfstests": ["-g", "auto"]])
        #expect(resolved.configuration.problems.isEmpty)
        #expect(origin(resolved, "cycles") == "--cycles")
        #expect(origin(resolved, "depths") == "fstestkit.yaml:3")
        #expect(origin(resolved, "quick") == "default")
    }

    @Test func whatIsAcceptedOfATargetThatAFlagReplacesIsNotForThisRun() throws {
        let file = try ConfigurationFile.parse(
            """
            daemons: [{name: mine, command: "d {mountpoint}"}]
            accept:
              - {finding: "correctness/a/b", target: mine, reason: known}
              - {finding: "correctness/c/d", target: mien, reason: mistyped}
            """, path: "f")
        let mine = ResolvedConfiguration([file]).configuration
        #expect(mine.accept?.map(\.target) == ["mine", "mien"])
        #expect(mine.problems == ["'correctness/c/d' is accepted of 'mien', which is not run"])
        var flags = ConfigurationLayer()
        flags.transports = [.legacy]
        #expect(ResolvedConfiguration([flags, file]).configuration.accept?.map(\.target) == ["mien"])
    }

    @Test func whatIsNamedTwiceIsRunOnce() throws {
        let file = try ConfigurationFile.parse("suites: [correctness, correctness]\ndepths: [1, 8, 1]", path: "f")
        let configuration = ResolvedConfiguration([file]).configuration
        #expect(configuration.suites == ["correctness"])
        #expect(configuration.depths == [1, 8])
    }

    @Test func aNamedDaemonReplacesOurTransports() throws {
        let file = try ConfigurationFile.parse(
            """
            daemons:
              - command: "bindfs -f {source} {mountpoint}"
                clean-status: 1
              - name: other
                mount-helper: thing
            """, path: "f")
        let targets = ResolvedConfiguration([file]).configuration.targets
        #expect(targets.map(\.label) == ["bindfs", "other"])
        #expect(targets[0].cleanStatuses == [1])
        #expect(targets[1].mountHelper == "thing")
    }

    @Test(arguments: [
        ("suits: [x]", 1, "there is no setting 'suits'"), ("cycles: many", 1, "cycles: it takes a whole number"),
        ("quick: false\ntransports: [fast]", 2, "there is no transport 'fast'"),
        ("daemons:\n  - name: x", 2, "a daemon has either a command or a mount-helper"),
        ("daemons:\n  - nam: x", 2, "there is no 'nam' here"), ("- a", 1, "is no list of settings"),
    ])
    func mistakesAreNamedWithTheirLine(text: String, line: Int, what: String) throws {
        let fault = #expect(throws: ConfigurationFile.ParseError.self) { try ConfigurationFile.parse(text, path: "f") }
        #expect(fault?.line == line)
        #expect(fault?.what.hasPrefix(what) == true)
    }

    @Test func guestsAreSettingsToo() throws {
        let file = try ConfigurationFile.parse(
            """
            kernels: [host, deb:6.18, mine=/src/linux]
            cpus: [1, 8]
            possible: 9
            numa: 1
            memory: 2048
            accelerator: tcg
            steady: true
            append: kasan.fault=panic
            """, path: "f")
        let configuration = ResolvedConfiguration([file]).configuration
        #expect(configuration.kernels.map(\.label) == ["host", "6.18", "mine"])
        #expect(configuration.guests.cpus == [1, 8] && configuration.guests.memory == 2048)
        #expect(configuration.guests.possible == 9 && configuration.guests.nodes == 1)
        #expect(configuration.problems.isEmpty)
        #expect(configuration.guests.isSteady && configuration.guests.accelerator == "tcg")
        #expect(configuration.guests.append == ["kasan.fault=panic"])
        #expect(ResolvedConfiguration([]).configuration.kernels == [.host])
        var wrong = configuration
        wrong.guests.nodes = 10
        // One CPU and nine possible ones; eight and nine.
        #expect(wrong.problems.count == 2)
        wrong = configuration
        wrong.guests.possible = 4
        #expect(wrong.problems.count == 1)
        for text in ["numa: 0", "possible: 0", "cpus: 0", "memory: 1", "accelerator: xen", "steady: 3"] {
            #expect(throws: ConfigurationFile.ParseError.self) { try ConfigurationFile.parse(text, path: "f") }
        }
    }

    @Test func brokenYAMLIsAMistakeToo() {
        #expect(throws: ConfigurationFile.ParseError.self) { try ConfigurationFile.parse("a: [", path: "f") }
    }

    @Test func faultsOfAConfigurationAreTold() {
        var configuration = MatrixConfiguration()
        configuration.suites = ["correctnes"]
        configuration.depths = [0]
        configuration.cycles = 0
        configuration.targets = [
            .init(command: "a b"), .init(command: "a c"), .init(label: "x/y", command: "z"), .init(command: " "),
        ]
        #expect(configuration.problems.count == 6)
    }
}
