import Foundation
import Glibc
import SystemPackage
import VirtualMachines
import XFSTestsSuite

/// What a guest needs to run xfstests.
struct GuestXFSTests {
    private let checkout: FilePath
    private let settings: FilePath

    static var packages: [String] { XFSTestsPackages.names }

    /// Where the guest has the checkout: its files are links elsewhere, and xfstests follows its own.
    private static let place = "/opt/xfstests"
    private static let path = GuestJob.filesFolder + place

    /// Programs of a checkout that are linked with all the libraries that any of them is.
    private static let programs = ["ltp/fsx", "ltp/fsstress", "src/dbtest", "src/aio-dio-regress/aiodio_sparse2"]

    init(_ checkout: String) throws {
        guard let folder = XFSTestsFolder.find(program: Bundle.main.executablePath ?? "") else {
            throw fail("no folder xfstests-config; name it by FSTESTKIT_XFSTESTS_CONFIG", .unavailable)
        }
        func absolute(_ path: String) -> FilePath {
            FilePath(URL(fileURLWithPath: path).standardizedFileURL.path)
        }
        self.checkout = absolute(checkout)
        settings = absolute(folder.path.string)
    }

    var copies: [GuestJob.Copy] {
        [
            GuestJob.Copy(checkout, to: FilePath(Self.place)),
            GuestJob.Copy(settings, to: "/usr/local/share/fstestkit/xfstests-config"),
        ]
            + Self.programs.map { GuestJob.Copy(checkout.pushing(FilePath($0)), to: FilePath("\(Self.place)/\($0)")) }
            .filter { access($0.source.string, X_OK) == 0 }
    }

    /// Before the suite: users are made.
    var preface: String { "export XFSTESTS_DIR=\(Self.path)\nfstestkit xfstests --prepare >&2" }
}
