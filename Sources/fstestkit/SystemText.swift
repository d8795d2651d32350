public import ArgumentParser
import Foundation
import LinuxSystem
public import SystemPackage

/// Command lines and paths are bytes, and need not be UTF-8; `String`s are Unicode. Here every byte that is no part of a
/// character becomes a character of its own, at the end of the last private use area, and becomes that byte again.
enum SystemText {
    /// The characters U+10FF80 to U+10FFFF stand for the bytes 80 to FF. One that is met in a text is taken for four such bytes.
    private static let base: UInt32 = 0x10FF00

    static func decode(_ bytes: some Collection<UInt8>) -> String {
        var scalars = String.UnicodeScalarView()
        var rest = ArraySlice(bytes)
        while let byte = rest.first {
            if let scalar = firstScalar(of: rest), scalar.value < base + 0x80 {
                scalars.append(scalar)
                rest = rest.dropFirst(UTF8.width(scalar))
            } else {
                scalars.append(Unicode.Scalar(base + UInt32(byte))!)
                rest = rest.dropFirst()
            }
        }
        return String(scalars)
    }

    /// The character that these bytes begin with; nil if they begin with none.
    private static func firstScalar(of bytes: ArraySlice<UInt8>) -> Unicode.Scalar? {
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        guard case .scalarValue(let scalar) = decoder.decode(&iterator) else { return nil }
        return scalar
    }

    static func encode(_ text: String) -> [UInt8] {
        text.unicodeScalars.flatMap { scalar in
            scalar.value >= base + 0x80 ? [UInt8(scalar.value - base)] : Array(String(scalar).utf8)
        }
    }

    /// The same as a C string.
    static func cString(_ text: String) -> [CChar] { encode(text).map { CChar(bitPattern: $0) } + [0] }

    /// This process's command line, without the program's name.
    static var arguments: [String] {
        (1..<max(1, Int(CommandLine.argc))).compactMap { index in
            CommandLine.unsafeArgv[index].map {
                decode(UnsafeBufferPointer(start: $0, count: strlen($0)).map(UInt8.init(bitPattern:)))
            }
        }
    }
}

extension UTF8 {
    fileprivate static func width(_ scalar: Unicode.Scalar) -> Int { String(scalar).utf8.count }
}

extension FilePath: @retroactive ExpressibleByArgument {
    public init(argument: String) { self.init(bytes: SystemText.encode(argument)) }
}
