import Glibc
import Testing

@testable import FUSEServer

@Suite("The kernel's request timeout")
struct RequestTimeoutTests {
    @Test(
        arguments: [
            (0, "0", "0", nil), (60, "0", "0", 60), (5, "0", "0", 15), (60, "30", "0", 60), (0, "30", "0", 30),
            (60, "0", "40", 40), (0, "0", "40", 40), (30, "0", "40", 30),
        ] as [(UInt16, String, String, Int?)])
    func followsTheKernel(asked: UInt16, usual: String, most: String, holds: Int?) {
        var template = Array("/tmp/timeout-test.XXXXXX".utf8CString)
        mkdtemp(&template)
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let names = ["default_request_timeout", "max_request_timeout"]
        defer {
            for name in names { unlink(folder + "/" + name) }
            rmdir(folder)
        }
        for (name, value) in zip(names, [usual, most]) {
            let file = fopen(folder + "/" + name, "w")
            fputs(value + "\n", file)
            fclose(file)
        }
        #expect(RequestTimeout.kernels(asked: asked, settings: folder) == holds)
    }

    @Test func olderKernelsHaveNone() {
        #expect(RequestTimeout.kernels(asked: 0, settings: "/nowhere") == nil)
    }
}
