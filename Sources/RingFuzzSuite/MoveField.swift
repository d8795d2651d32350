import LinuxSystem

/// A part of a move that may be as the protocol wants it or a lie. One list of them is all that a kind of move says
/// of itself: scripts are written, read, drawn and made plainer by it.
struct MoveField<Shape> {
    let name: String
    let text: (Shape) -> String
    /// False if the field has no such value.
    let set: (inout Shape, String) -> Bool
    let draw: (inout Shape, inout SplitMix64) -> Void
}

/// What a field holds.
protocol MoveValue: Hashable, Sendable {
    init?(word: String)
    var word: String { get }
    static func drawn(_ random: inout SplitMix64) -> Self
}

extension MoveValue where Self: RawRepresentable & CaseIterable, RawValue == String, AllCases == [Self] {
    init?(word: String) { self.init(rawValue: word) }
    var word: String { rawValue }
    static func drawn(_ random: inout SplitMix64) -> Self { allCases[random.below(allCases.count)] }
}

/// Which one of several things a move is about, counted round: there is always one, if there is any.
struct Ordinal: MoveValue {
    var number: Int

    init(_ number: Int) { self.number = number }

    init?(word: String) {
        guard let number = Int(word), (0..<Ordinal.count).contains(number) else { return nil }
        self.number = number
    }

    var word: String { "\(number)" }
    static func drawn(_ random: inout SplitMix64) -> Ordinal { Ordinal(random.below(count)) }
    private static let count = 8

    /// The one of `things` that is meant; nil if there is none.
    func among<Thing>(_ things: [Thing]) -> Thing? { things.isEmpty ? nil : things[number % things.count] }
}

/// How often something is done, or how many do it.
struct Count: MoveValue {
    var number: Int

    init(_ number: Int) { self.number = number }

    init?(word: String) {
        guard let number = Int(word), (1...Count.most).contains(number) else { return nil }
        self.number = number
    }

    var word: String { "\(number)" }
    static func drawn(_ random: inout SplitMix64) -> Count { Count(1 << random.below(5)) }
    private static let most = 64
}

extension MoveField {
    init<Value: MoveValue>(_ name: String, _ path: WritableKeyPath<Shape, Value>) {
        self.name = name
        text = { $0[keyPath: path].word }
        set = { shape, word in
            guard let value = Value(word: word) else { return false }
            shape[keyPath: path] = value
            return true
        }
        draw = { shape, random in shape[keyPath: path] = Value.drawn(&random) }
    }
}

/// A kind of move. Its fields begin as the protocol wants them.
protocol MoveShape: Hashable, Sendable {
    /// With which its lines begin.
    static var verb: String { get }
    static var fields: [MoveField<Self>] { get }
    init()
    var move: Move { get }
}

extension MoveShape {
    /// `verb field=value …`, with the fields that differ from the protocol's.
    var text: String { ([Self.verb] + choices).joined(separator: " ") }

    /// The fields that differ, as `field=value`.
    var choices: [String] {
        let plain = Self()
        return Self.fields.filter { $0.text(self) != $0.text(plain) }.map { "\($0.name)=\($0.text(self))" }
    }

    /// - Parameter words: `field=value`.
    /// - Throws: ``ScriptError``, without a line.
    init(words: some Sequence<Substring>) throws(ScriptError) {
        self.init()
        for word in words {
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, let field = Self.fields.first(where: { $0.name == parts[0] }) else {
                throw ScriptError(
                    "'\(Self.verb)' has no field '\(word)'; it has \(Self.fields.map(\.name).joined(separator: ", "))")
            }
            guard field.set(&self, parts[1]) else { throw ScriptError("\(Self.verb): there is no '\(word)'") }
        }
    }

    /// Draws one. Of its fields about one in `rarity` is another than the protocol's.
    static func drawn(_ random: inout SplitMix64, rarity: Int) -> Self {
        var shape = Self()
        for field in fields where random.below(rarity) == 0 { field.draw(&shape, &random) }
        return shape
    }

    /// The same with one field more as the protocol wants it, for each field that is not.
    var plainer: [Move] {
        let plain = Self()
        return Self.fields.compactMap { field in
            var shape = self
            guard field.set(&shape, field.text(plain)), shape != self else { return nil }
            return shape.move
        }
    }
}
