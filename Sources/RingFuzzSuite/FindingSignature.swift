/// What tells one way of breaking a kernel from another: the headline, and the functions in which it broke.
public struct FindingSignature: Hashable, Sendable, CustomStringConvertible {
    public let description: String

    /// - Parameters:
    ///   - headline: the line that says what happened.
    ///   - report: the console's lines, of a kernel that died.
    public init(headline: String, report: [String] = []) {
        let plain = FindingSignature.plain(headline)
        let functions = FindingSignature.functions(report)
        description = functions.isEmpty ? plain : "\(plain) in \(functions.joined(separator: " < "))"
    }

    /// Numbers and addresses differ from run to run.
    private static func plain(_ text: String) -> String {
        text.replacing(#/0x[0-9a-f]+|\b[0-9a-f]{12,16}\b|\d+/#, with: "N")
    }

    /// Where the processor was, and who had called it: four at most.
    private static func functions(_ report: [String]) -> [String] {
        var result: [String] = []
        var isTrace = false
        for line in report {
            if let place = line.firstMatch(of: #/RIP: [0-9]+:([A-Za-z0-9_.]+)\+0x/#), result.isEmpty, !isTrace {
                result.append(String(place.1))
            }
            if line.contains("Call Trace:") {
                // Of the first report only.
                if isTrace { break }
                isTrace = true
            }
            guard isTrace, !line.contains("? "),
                let function = line.firstMatch(of: #/ ([A-Za-z0-9_.]+)\+0x[0-9a-f]+\/0x[0-9a-f]+/#)
            else { continue }
            let name = String(function.1)
            // How a kernel dies is the same everywhere.
            if !dying.contains(name) && !result.contains(name) { result.append(name) }
            if result.count == 4 { break }
        }
        return result
    }

    private static let dying: Set<String> = [
        "die", "do_trap", "do_error_trap", "exc_invalid_op", "asm_exc_invalid_op", "exc_page_fault",
        "asm_exc_page_fault",
        "page_fault_oops", "die_addr", "exc_general_protection", "asm_exc_general_protection", "dump_stack_lvl",
        "__warn",
        "report_bug", "handle_bug", "print_report", "kasan_report", "__die_body.cold", "__die_body",
        "do_user_addr_fault",
    ]
}
