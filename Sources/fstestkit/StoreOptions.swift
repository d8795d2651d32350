import ArgumentParser
import Foundation
import LinuxSystem
import BenchCore
import SystemPackage
import TestMatrix

/// Where earlier results are.
struct StoreOptions: ParsableArguments {
    @Option(help: "The folder with the results.")
    var output = "fstestkit-results"

    func open() throws -> Store {
        let folder = try OutputFolder.path(output).string
        return try words { try MatrixSession.store(in: folder, mustExist: true) }
    }
}
