import Glibc
import SystemPackage

/// All that a program does whose one purpose is a filesystem: reads its command line, serves, and ends with a status that tells how
/// it went.
///
/// The command line is `[--transport NAME] [-o OPTION[,OPTION]…] [OPERAND…] MOUNTPOINT`, with the names of ``TransportChoice/Name``
/// and mount(8)'s options. The status is 0 after an unmount, an abort or a signal; 1 after a failure; 64 for a wrong command line and 69
/// for what this machine does not have; 70 if threads did not end in time. What is wrong is said on standard error.
///
/// - Parameters:
///   - options: what the command line is added to.
///   - operands: names of the operands that come before the mount point, for the line that tells how the program is called.
///   - make: makes the filesystem of the operands. An error that it throws is said, and the status is 1.
public func serveAndExit<Served: FileSystem>(
    options: ServeOptions = ServeOptions(), operands: [String] = [], _ make: ([String]) throws -> Served
) -> Never {
    do {
        let arguments = try CommandLineArguments(
            Array(CommandLine.arguments.dropFirst()), options, operands: operands, program: Service.program)
        let fileSystem = try make(arguments.operands)
        let log = arguments.options.log ?? Service.standardError
        try serve(fileSystem, at: arguments.mountPoint, options: arguments.options).exit(log)
    } catch {
        let line = "\(Service.program): \(error)\n"
        unsafe write(2, line, line.utf8.count)
        exit((error as? ServeError)?.exitStatus ?? 1)
    }
}

/// The same for a filesystem that needs no operands.
///
/// - Parameters:
///   - fileSystem: what is served.
///   - options: what the command line is added to.
public func serveAndExit(_ fileSystem: some FileSystem, options: ServeOptions = ServeOptions()) -> Never {
    serveAndExit(options: options) { _ in fileSystem }
}

/// What the command line says.
struct CommandLineArguments {
    private(set) var options: ServeOptions
    private(set) var operands: [String] = []
    let mountPoint: FilePath

    init(
        _ arguments: [String], _ options: ServeOptions, operands names: [String], program: String
    ) throws(ServeError) {
        let usage = ([program, "[--transport NAME]", "[-o OPTIONS]"] + names + ["MOUNTPOINT"]).joined(separator: " ")
        self.options = options
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "--transport", "-o":
                guard let value = rest.popFirst() else { throw .usage("\(argument) takes a value; usage: \(usage)") }
                if argument == "-o" {
                    self.options.mountOptions += value.split(separator: ",").map(String.init)
                } else {
                    guard let name = TransportChoice.Name(rawValue: value) else {
                        let known = TransportChoice.Name.allCases.map(\.rawValue).joined(separator: ", ")
                        throw .usage("there is no transport '\(value)'; there are \(known)")
                    }
                    self.options.transport.name = name
                }
            case _ where argument.hasPrefix("-"): throw .usage("unknown option '\(argument)'; usage: \(usage)")
            default: operands.append(argument)
            }
        }
        guard operands.count == names.count + 1, let last = operands.popLast() else { throw .usage("usage: \(usage)") }
        mountPoint = FilePath(last)
    }
}
