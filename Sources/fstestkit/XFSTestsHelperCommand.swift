import ArgumentParser
import XFSTestsSuite

/// What `--daemon` puts between xfstests and the daemon. Not for people.
struct XFSTestsHelperCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "xfstests-helper", shouldDisplay: false)

    @Option var command: String
    @Argument(parsing: .allUnrecognized) var arguments: [String] = []

    func run() throws {
        do throws(DaemonHelper.Problem) {
            try DaemonHelper(command: command, arguments: arguments.filter { $0 != "--" }).mount()
        } catch {
            switch error {
            case .usage: throw fail("xfstests-helper DEV DIR -o source=DIR,…", .validationFailure)
            case .flag(let flag): throw fail("\(flag) cannot be done for another daemon", .validationFailure)
            case .remount: throw fail("the daemon's mount cannot be changed", ExitCode(32))
            case .notStarted(let program, let errno): throw fail("\(program): \(errno)", ExitCode(32))
            case .ended(let status): throw fail("the daemon ended before it was mounted: \(status)", ExitCode(32))
            case .notMounted(let limit): throw fail("not mounted after \(limit)", ExitCode(32))
            }
        }
    }
}
