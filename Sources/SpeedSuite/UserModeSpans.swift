import BenchCore

/// What threads did in user mode, from the text of a trace: the spans between a system call's end and the next one's start.
struct UserModeSpans {
    /// By the calls before and after, which tell of what kind a span is.
    private struct Kind: Hashable { let before, after: Int }

    /// Those in which the thread kept its processor.
    private var whole: [Kind: [Double]] = [:]
    /// How many others there were: somebody else's time is in them.
    private var broken: [Kind: Int] = [:]

    /// - Parameter trace: as tracefs shows it, with times as whole numbers.
    init(trace: String, threads: Set<Int32>) {
        struct State {
            var call: Int
            var time: Double
            var isBroken = false
        }
        var states: [Int32: State] = [:]
        for line in trace.split(separator: "\n") where line.first != "#" {
            guard let event = Event(line) else { continue }
            switch event.what {
            case .exit(let call):
                if threads.contains(event.thread) { states[event.thread] = State(call: call, time: event.time) }
            case .enter(let call):
                guard let state = states.removeValue(forKey: event.thread) else { continue }
                let kind = Kind(before: state.call, after: call)
                if state.isBroken {
                    broken[kind, default: 0] += 1
                } else {
                    whole[kind, default: []].append(event.time - state.time)
                }
            case .switched(let from, let to):
                states[from]?.isBroken = true
                states[to]?.isBroken = true
            }
        }
    }

    var count: Int { whole.values.reduce(0) { $0 + $1.count } + broken.values.reduce(0, +) }

    /// All of them: each kind's median, as often as it was there. The clock's interrupts, and whoever took the processor away, are
    /// not in it.
    var total: Double {
        Set(whole.keys).union(broken.keys).reduce(0) { sum, kind in
            let spans = whole[kind] ?? []
            let usual = spans.isEmpty ? self.usual ?? 0 : MedianQuotient.median(spans)
            return sum + usual * Double(spans.count + (broken[kind] ?? 0))
        }
    }

    /// The median of the kind that is there most often.
    var usual: Double? { whole.values.max { $0.count < $1.count }.map(MedianQuotient.median) }

    private struct Event {
        enum What {
            case enter(call: Int)
            case exit(call: Int)
            case switched(from: Int32, to: Int32)
        }

        let thread: Int32
        let time: Double
        let what: What

        /// `  ring 0-123   [000] d..1.  4567890: sys_exit: NR 17 = 4096`; a thread's name may have anything in it.
        init?(_ line: Substring) {
            guard let bracket = line.firstRange(of: " [0")?.lowerBound else { return nil }
            let name = line[..<bracket]
            guard let dash = name.lastIndex(of: "-"),
                let thread = Int32(name[name.index(after: dash)...].trimmingBlanks)
            else { return nil }
            let words = line[bracket...].split(separator: " ", maxSplits: 5)
            guard words.count >= 5, words[2].last == ":", let time = Double(words[2].dropLast()) else { return nil }
            self.thread = thread
            self.time = time
            switch words[3] {
            case "sys_enter:", "sys_exit:":
                guard words.count > 5, let call = Int(words[5].prefix { $0.isNumber }) else { return nil }
                what = words[3] == "sys_enter:" ? .enter(call: call) : .exit(call: call)
            case "sched_switch:":
                guard let from = Event.value("prev_pid=", in: line), let to = Event.value("next_pid=", in: line) else {
                    return nil
                }
                what = .switched(from: from, to: to)
            default: return nil
            }
        }

        private static func value(_ key: String, in line: Substring) -> Int32? {
            guard let range = line.firstRange(of: key) else { return nil }
            return Int32(line[range.upperBound...].prefix { $0.isNumber })
        }
    }
}

extension Substring {
    fileprivate var trimmingBlanks: Substring {
        var result = self
        while result.last == " " { result.removeLast() }
        return result
    }
}
