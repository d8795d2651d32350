import FUSE

/// A directory's names. Each has a place that stays its own, so that a listing goes on where it was, whatever was made or removed.
struct Directory {
    struct Link {
        let place: UInt64
        let name: FileName
        var node: NodeID
    }

    /// Where the listing goes on after `.` and `..`.
    static let firstPlace: UInt64 = 2

    /// By place.
    private var links: [Link] = []
    private var places: [FileName: UInt64] = [:]
    private var lastPlace = Directory.firstPlace

    var isEmpty: Bool { links.isEmpty }

    subscript(name: FileName) -> NodeID? { places[name].map { links[index(after: $0 - 1)].node } }

    /// The names after a place.
    func links(after place: UInt64) -> ArraySlice<Link> { links[index(after: place)...] }

    /// Has a name lead to a node, whether or not it was there.
    mutating func set(_ name: FileName, _ node: NodeID) {
        if let place = places[name] {
            links[index(after: place - 1)].node = node
        } else {
            lastPlace += 1
            places[name] = lastPlace
            links.append(Link(place: lastPlace, name: name, node: node))
        }
    }

    mutating func remove(_ name: FileName) {
        guard let place = places.removeValue(forKey: name) else { return }
        links.remove(at: index(after: place - 1))
    }

    /// Of the first link with a greater place.
    private func index(after place: UInt64) -> Int {
        var low = 0
        var high = links.count
        while low < high {
            let middle = (low + high) / 2
            if links[middle].place > place { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
