import ArgumentParser
import BenchCore
import FUSE
import SystemPackage

/// `--mount-option`, which means the same to every suite that has it and to the matrix.
struct MountOptionsOption: ParsableArguments {
    @Option(
        help: """
            Mount options for our transports, with commas, or pairs (each with each other's values). May be given again.
            """)
    var mountOption: [String] = []

    func validate() throws {
        do throws(MountOptions.Refusal) {
            try MountOptionsOption.check(mountOption)
        } catch {
            throw ValidationError("--mount-option \(error.message)")
        }
    }

    /// Refuses what the daemon would refuse before anything runs, and what is not a suite's to choose.
    static func check(_ texts: [String]) throws(MountOptions.Refusal) {
        for text in texts where text != MountOptionSet.pairs {
            do throws(MountOptions.Refusal) {
                var options = MountOptions(source: "/")
                for option in MountOptionSet(parsing: text).options { try options.apply(option) }
                if options.remount || options.transport.name != .automatic || options.transport.fallsBack {
                    throw MountOptions.Refusal(message: "neither a remount nor a transport")
                }
            } catch {
                throw MountOptions.Refusal(message: "'\(text)': \(error.message)")
            }
        }
    }
}
