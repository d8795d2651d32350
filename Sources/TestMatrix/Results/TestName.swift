/// A test by name, as people ask for it.
public struct TestName: Sendable, Hashable, Codable, Comparable {
    public var suite: String
    public var area: String
    public var name: String

    /// `correctness/rename/over an open file`.
    public var path: String { "\(suite)/\(area)/\(name)" }

    public static func < (one: TestName, other: TestName) -> Bool {
        (one.suite, one.area, one.name) < (other.suite, other.area, other.name)
    }
}
