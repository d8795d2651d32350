import SystemPackage
import Testing

@testable import LoopbackFS

@Suite("Handle table")
struct HandleTableTests {
    private final class Element: Sendable {
        let number: Int
        init(_ number: Int) { self.number = number }
    }

    @Test("Each of many elements is found by its number, and by no other")
    func finds() throws {
        let table = HandleTable<Element>()
        let numbers = (0..<10_000).map { table.insert(Element($0)) }
        #expect(Set(numbers).count == numbers.count)
        for (index, number) in numbers.enumerated() { #expect(try table.find(number).number == index) }
        for wrong in [numbers.count, 1 << 20, 0xffff_ffff].map({ numbers[0] & ~0xffff_ffff | UInt64($0) }) {
            #expect(throws: Errno.badFileDescriptor) { try table.find(wrong) }
        }
    }

    @Test("A number that was released is EBADF, also when its place is taken again")
    func released() throws {
        let table = HandleTable<Element>()
        let old = table.insert(Element(1))
        #expect(try table.remove(old).number == 1)
        let new = table.insert(Element(2))
        #expect(new & 0xffff_ffff == old & 0xffff_ffff)
        #expect(throws: Errno.badFileDescriptor) { try table.find(old) }
        #expect(throws: Errno.badFileDescriptor) { try table.remove(old) }
        #expect(try table.find(new).number == 2)
    }

    @Test("An element is found by what it is, until its number is released")
    func searched() throws {
        let table = HandleTable<Element>()
        let numbers = (0..<200).map { table.insert(Element($0)) }
        #expect(table.first { $0.number == 150 }?.number == 150)
        _ = try table.remove(numbers[150])
        #expect(table.first { $0.number == 150 } == nil)
        #expect(table.first { _ in true } != nil)
    }

    @Test("An element lives as long as its number, or as the table")
    func lifetimes() throws {
        weak var removed: Element?
        weak var dropped: Element?
        weak var abandoned: Element?
        var table: HandleTable<Element>? = HandleTable<Element>()
        let number = {
            let element = Element(1)
            removed = element
            return table!.insert(element)
        }()
        #expect(removed != nil)
        _ = try table!.remove(number)
        #expect(removed == nil)
        do {
            let element = Element(2)
            dropped = element
            _ = table!.insert(element)
        }
        #expect(dropped != nil)
        table!.removeAll()
        #expect(dropped == nil)
        do {
            let element = Element(3)
            abandoned = element
            _ = table!.insert(element)
        }
        table = nil
        #expect(abandoned == nil)
    }
}
