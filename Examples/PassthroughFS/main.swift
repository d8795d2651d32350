// Another directory, through FUSE: PassthroughFS [--transport NAME] [-o OPTIONS] SOURCE MOUNTPOINT
import FUSE
import Glibc

// Permissions of new files are the caller's umask's business, and the kernel has applied it.
umask(0)
var options = ServeOptions()
options.source = CommandLine.arguments.dropLast().last
serveAndExit(options: options, operands: ["SOURCE"]) { try PassthroughFS(FilePath($0[0])) }
