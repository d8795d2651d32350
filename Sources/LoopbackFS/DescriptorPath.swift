import Glibc
import SystemPackage

/// The name of a descriptor in `/proc/self/fd`: its decimal number. Lies on the stack.
struct DescriptorPath {
    private var text = SIMD16<Int8>()

    init(_ descriptor: CInt) {
        var digits = 1
        var rest = descriptor
        while rest >= 10 {
            rest /= 10
            digits += 1
        }
        rest = descriptor
        for index in stride(from: digits - 1, through: 0, by: -1) {
            text[index] = Int8(UInt8(ascii: "0")) + Int8(rest % 10)
            rest /= 10
        }
    }

    /// Calls `body` with the name as a C string.
    @inline(__always)
    func withCString<Value>(_ body: (UnsafePointer<CChar>) throws(Errno) -> Value) throws(Errno) -> Value {
        try unsafe withUnsafeBytes(of: text) { bytes throws(Errno) in
            try unsafe body(bytes.baseAddress!.assumingMemoryBound(to: CChar.self))
        }
    }
}
