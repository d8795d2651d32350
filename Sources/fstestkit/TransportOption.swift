import ArgumentParser
import BenchCore
import Foundation
import TestMatrix

/// `--transport`, which means the same to every suite and to the matrix.
struct TransportOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "legacy, uring-single, uring-percore or all, with commas between them; may be given again (default: all).",
            valueName: "transports"))
    var transport: [String] = []

    /// What was asked for, each once, in the order in which it was named; nil if nothing was.
    func names() throws -> [TransportName]? {
        var names: [TransportName] = []
        for word in try Lists.split(transport, of: "--transport") {
            for name in try TransportOption.transports(word) where !names.contains(name) { names.append(name) }
        }
        return transport.isEmpty ? nil : names
    }

    /// What is to be run: all that was asked for, or all that this machine has, with a line about each that it has not.
    ///
    /// - Throws: EX_UNAVAILABLE if one that was asked for is not to be had.
    func available() throws -> [TransportName] {
        let named = try names()
        guard let obstacle = Availability.current.ring else { return named ?? TransportName.allCases }
        let missing = (named ?? TransportName.allCases).filter(\.usesRing).map(\.rawValue).joined(separator: ", ")
        if let named, named.contains(where: \.usesRing) { throw fail("\(missing): \(obstacle)", .unavailable) }
        if named == nil { notice("left out: \(missing): \(obstacle)") }
        return (named ?? TransportName.allCases).filter { !$0.usesRing }
    }

    private static func transports(_ word: String) throws -> [TransportName] {
        if word == "all" { return TransportName.allCases }
        guard let transport = TransportName(rawValue: word) else {
            let known = TransportName.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("there is no transport '\(word)'; there are \(known), and all")
        }
        return [transport]
    }

    func validate() throws { _ = try names() }
}
