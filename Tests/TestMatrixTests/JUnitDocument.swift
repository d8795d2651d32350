import Foundation
import FoundationXML

/// Reads JUnit XML and finds what Jenkins' xUnit plug-in would refuse: unknown elements and attributes, missing ones, numbers that
/// are none, children in the wrong place, and counts that are not those of the children.
final class JUnitDocument: NSObject, XMLParserDelegate {
    private(set) var faults: [String] = []
    private(set) var testcases = 0
    private(set) var failures = 0
    private(set) var errors = 0
    private(set) var skipped = 0

    private struct Rule {
        var parents: Set<String>
        var required: Set<String> = []
        var optional: Set<String> = []
    }

    private static let rules: [String: Rule] = [
        "testsuites": Rule(parents: [""], optional: ["name", "time", "tests", "failures", "errors"]),
        "testsuite": Rule(
            parents: ["testsuites", "testsuite"], required: ["name", "tests", "failures", "errors"],
            optional: ["group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"]),
        "properties": Rule(parents: ["testsuite"]),
        "property": Rule(parents: ["properties"], required: ["name", "value"]),
        "testcase": Rule(parents: ["testsuite"], required: ["name"], optional: ["time", "classname", "group"]),
        "failure": Rule(parents: ["testcase"], optional: ["type", "message"]),
        "error": Rule(parents: ["testcase"], optional: ["type", "message"]),
        "skipped": Rule(parents: ["testcase"], optional: ["type", "message"]),
        "system-out": Rule(parents: ["testcase", "testsuite"]),
        "system-err": Rule(parents: ["testcase", "testsuite"]),
    ]

    /// An element with the counts that it claims, and what its children come to.
    private struct Level {
        var name: String
        var claimed: [String: Int] = [:]
        var counted = ["tests": 0, "failures": 0, "errors": 0, "skipped": 0]
    }
    private var levels: [Level] = [Level(name: "")]

    init(_ text: String) throws {
        super.init()
        let parser = XMLParser(data: Data(text.utf8))
        parser.delegate = self
        if !parser.parse() { faults.append("not well-formed: \(parser.parserError.map { "\($0)" } ?? "")") }
    }

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String] = [:]
    ) {
        var level = Level(name: name)
        if let rule = JUnitDocument.rules[name] {
            let parent = levels.last?.name ?? ""
            if !rule.parents.contains(parent) { faults.append("\(name) in \(parent)") }
            for missing in rule.required.subtracting(attributes.keys) { faults.append("\(name) without \(missing)") }
            for extra in Set(attributes.keys).subtracting(rule.required).subtracting(rule.optional) {
                faults.append("\(name) with \(extra)")
            }
        } else {
            faults.append("unknown element \(name)")
        }
        for (key, value) in attributes {
            switch key {
            case "time":
                if value.firstMatch(of: /^([0-9]{0,3},)*[0-9]*(\.[0-9]*)?$/) == nil { faults.append("time \(value)") }
            case "tests", "failures", "errors", "skipped":
                if let number = Int(value) { level.claimed[key] = number } else { faults.append("\(key) \(value)") }
            case "timestamp":
                if value.firstMatch(of: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/) == nil {
                    faults.append("timestamp \(value)")
                }
            default: break
            }
        }
        switch name {
        case "testcase": testcases += count("tests")
        case "failure": failures += count("failures")
        case "error": errors += count("errors")
        case "skipped": skipped += count("skipped")
        default: break
        }
        levels.append(level)
    }

    /// Counts for every level around it.
    private func count(_ key: String) -> Int {
        for index in levels.indices { levels[index].counted[key]? += 1 }
        return 1
    }

    func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
        let level = levels.removeLast()
        for (key, number) in level.claimed where level.counted[key] != number {
            faults.append("\(level.name) says \(number) \(key), and has \(level.counted[key] ?? 0)")
        }
    }
}
