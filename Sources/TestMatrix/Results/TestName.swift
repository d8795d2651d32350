import BenchCore

/// A test by name, as people ask for it.
public struct TestName: Sendable, Hashable, Codable, Comparable {
    public var suite: String
    public var area: String
    public var name: String

    public init(suite: String, area: String, name: String) {
        self.suite = suite
        self.area = area
        self.name = name
    }

    /// `correctness/rename/over an open file`.
    public var path: String { "\(suite)/" + TestResult.path(area: area, name: name) }

    public static func < (one: TestName, other: TestName) -> Bool {
        (one.suite, one.area, one.name) < (other.suite, other.area, other.name)
    }
}
