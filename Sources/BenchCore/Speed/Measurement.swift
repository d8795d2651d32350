/// What a test has measured, in rounds: a speed or a cost.
public struct Measurement: Codable, Sendable, Hashable {
    /// Of the same rounds, of what it is compared with.
    public struct Reference: Codable, Sendable, Hashable {
        public var subject: String
        public var values: [Double]

        public init(subject: String, values: [Double]) {
            self.subject = subject
            self.values = values
        }
    }

    /// `MB/s`, `instructions/request`.
    public var unit: String
    /// Whether more is better.
    public var isSpeed: Bool
    /// One a round.
    public var values: [Double]
    public var reference: Reference?
    /// How it was measured: only what was measured in the same way can be compared.
    public var settings: String
    /// Whether too much else was going on on the machine.
    public var isDisturbed: Bool

    public init(
        unit: String, isSpeed: Bool, values: [Double], reference: Reference? = nil, settings: String,
        isDisturbed: Bool = false
    ) {
        self.unit = unit
        self.isSpeed = isSpeed
        self.values = values
        self.reference = reference
        self.settings = settings
        self.isDisturbed = isDisturbed
    }

    public var median: Double { MedianQuotient.median(values) }
}
