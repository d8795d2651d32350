import BenchCore
import CLinux
import Foundation
import Glibc

/// What standard output is, and what may be written to it.
public enum Terminal {
    /// In characters; 80 by 24 where nobody says.
    public static func size(of descriptor: Int32) -> (width: Int, height: Int) {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else { return (80, 24) }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// A terminal with a person in front of it, as far as can be told.
    public static var isLive: Bool {
        let environment = ProcessInfo.processInfo.environment
        return isatty(STDOUT_FILENO) == 1 && environment["CI"] == nil && !["dumb", nil].contains(environment["TERM"])
    }

    /// See no-color.org: any value but the empty one means no.
    public static var hasColor: Bool {
        isatty(STDOUT_FILENO) == 1 && (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty
    }
}
