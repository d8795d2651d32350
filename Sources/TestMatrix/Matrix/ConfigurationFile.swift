import Foundation
import LinuxSystem
import BenchCore
import Yams

/// `fstestkit.yaml`: the settings of a project that runs the same matrix daily.
public struct ConfigurationFile {
    /// What is wrong with a file, and in which line.
    public struct ParseError: Error, Hashable, Sendable {
        public var path: String
        public var line: Int?
        public var what: String
    }

    public static let name = "fstestkit.yaml"

    private let path: String
    private var layer = ConfigurationLayer()

    /// Reads a file.
    ///
    /// - Throws: ``ParseError``.
    public static func read(_ path: String) throws -> ConfigurationLayer {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw ParseError(path: path, what: "cannot be read")
        }
        return try parse(text, path: path)
    }

    /// - Parameter path: for messages.
    static func parse(_ text: String, path: String) throws -> ConfigurationLayer {
        var file = ConfigurationFile(path: path)
        let node: Node?
        do {
            node = try compose(yaml: text)
        } catch let error as YamlError {
            throw ParseError(path: path, what: "\(error)".replacing("\n", with: " "))
        }
        // An empty file says nothing.
        guard let node else { return file.layer }
        guard let mapping = node.mapping else { throw file.parseError(node, "is no list of settings (key: value)") }
        for (key, value) in mapping { try file.take(key, value) }
        return file.layer
    }

    private init(path: String) {
        self.path = path
    }

    private static let keys = [
        "suites", "own-suites", "transports", "daemons", "kernels", "cpus", "possible", "numa", "memory", "accelerator",
        "steady", "append",
        "copies", "depths", "mount-options", "cycles", "quick", "seed", "xfstests", "timeout", "arguments", "accept",
        "output",
    ]

    private mutating func take(_ keyNode: Node, _ node: Node) throws {
        let key = keyNode.string ?? ""
        switch key {
        case "suites": layer.suites = try strings(node)
        case "own-suites": layer.ownSuites = try list(node).map(ownSuite)
        case "transports": layer.transports = try transports(node)
        case "daemons": layer.daemons = try list(node).map(daemon)
        case "kernels": layer.kernels = try strings(node).map(MatrixConfiguration.KernelChoice.init)
        case "cpus": layer.cpus = try list(node).map { try number($0, key, Numbers.cpus) }
        case "possible": layer.possible = try number(node, key, Numbers.cpus)
        case "numa": layer.numa = try number(node, key, Numbers.nodes)
        case "memory": layer.memory = try number(node, key, Numbers.memory)
        case "accelerator":
            let value = try string(node)
            guard ["auto", "kvm", "tcg"].contains(value) else {
                throw parseError(node, "accelerator is auto, kvm or tcg, not '\(value)'")
            }
            layer.accelerator = value
        case "steady":
            guard let value = node.bool else { throw parseError(node, "steady is true or false") }
            layer.steady = value
        case "append": layer.append = try strings(node)
        case "copies": layer.copies = try strings(node)
        case "depths": layer.depths = try list(node).map { try number($0, "depth", Numbers.depth) }
        case "mount-options": layer.mountOptions = try strings(node)
        case "cycles": layer.cycles = try number(node, key, Numbers.cycles)
        case "quick":
            guard let value = node.bool else { throw parseError(node, "quick is true or false") }
            layer.quick = value
        case "seed": layer.seed = try number(node, key, Numbers.seed)
        case "xfstests": layer.xfstests = try string(node)
        case "timeout": layer.timeout = try number(node, key, Numbers.seconds)
        case "arguments":
            guard let mapping = node.mapping else { throw parseError(node, "arguments is a list by suite") }
            var arguments: [String: [String]] = [:]
            for (suite, list) in mapping { arguments[try string(suite)] = try strings(list) }
            layer.arguments = arguments
        case "accept": layer.accept = try list(node).map(acceptance)
        case "output": layer.output = try string(node)
        default:
            throw parseError(
                keyNode, "there is no setting '\(key)'; there are \(ConfigurationFile.keys.joined(separator: ", "))")
        }
        let file = path.split(separator: "/").last.map(String.init) ?? path
        layer.origins[key] = "\(file):\(keyNode.mark?.line ?? 0)"
    }

    private func transports(_ node: Node) throws -> [TransportName] {
        if node.string == "all" { return TransportName.allCases }
        return try list(node).map { entry in
            guard let transport = TransportName(rawValue: try string(entry)) else {
                let known = TransportName.allCases.map(\.rawValue).joined(separator: ", ")
                throw parseError(entry, "there is no transport '\(try string(entry))'; there are \(known)")
            }
            return transport
        }
    }

    private func daemon(_ node: Node) throws -> MatrixConfiguration.TargetChoice {
        let fields = try fields(node, ["name", "command", "mount-helper", "clean-status"])
        let statuses =
            try fields["clean-status"].map {
                try list($0).map { try number($0, "clean-status", Numbers.status) }
            } ?? []
        let name = try fields["name"].map(string)
        switch (try fields["command"].map(string), try fields["mount-helper"].map(string)) {
        case (let command?, nil): return .init(label: name, command: command, cleanStatuses: statuses)
        case (nil, let type?): return .init(label: name, mountHelper: type, cleanStatuses: statuses)
        default: throw parseError(node, "a daemon has either a command or a mount-helper")
        }
    }

    private func ownSuite(_ node: Node) throws -> MatrixConfiguration.OwnSuite {
        let fields = try fields(node, ["name", "command"])
        guard let name = fields["name"], let command = fields["command"] else {
            throw parseError(node, "a suite of your own has a name and a command")
        }
        return .init(name: try string(name), command: try string(command))
    }

    private func acceptance(_ node: Node) throws -> Acceptance {
        let fields = try fields(node, ["finding", "target", "reason", "until"])
        guard let finding = fields["finding"], let reason = fields["reason"] else {
            throw parseError(node, "what is accepted has a finding and a reason")
        }
        let until = try fields["until"].map(string)
        if let until, !Acceptance.isDay(until) {
            throw parseError(node, "until is a day such as 2027-03-31, not '\(until)'")
        }
        return Acceptance(
            finding: try string(finding), target: try fields["target"].map(string), reason: try string(reason),
            until: until)
    }

    private func fields(_ node: Node, _ known: [String]) throws -> [String: Node] {
        guard let mapping = node.mapping else { throw parseError(node, "here belong \(known.joined(separator: ", "))") }
        var fields: [String: Node] = [:]
        for (key, value) in mapping {
            guard let name = key.string, known.contains(name) else {
                throw parseError(
                    key, "there is no '\(key.string ?? "")' here; there are \(known.joined(separator: ", "))")
            }
            fields[name] = value
        }
        return fields
    }

    /// A list, or a single value as a list of one.
    private func list(_ node: Node) throws -> [Node] {
        if let sequence = node.sequence { return Array(sequence) }
        if node.null != nil && node.string == "" { return [] }
        return [node]
    }

    private func strings(_ node: Node) throws -> [String] { try list(node).map(string) }

    private func string(_ node: Node) throws -> String {
        guard let text = node.scalar?.string else { throw parseError(node, "here belongs one value") }
        return text
    }

    private func number<Value>(
        _ node: Node, _ key: String, _ parse: (String) throws(NumberError) -> Value
    ) throws -> Value {
        do throws(NumberError) {
            return try parse(node.scalar?.string ?? "")
        } catch {
            throw parseError(node, "\(key): \(error)")
        }
    }

    private func parseError(_ node: Node, _ what: String) -> ParseError {
        ParseError(path: path, line: node.mark?.line, what: what)
    }
}
