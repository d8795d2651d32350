// What a filesystem is written with besides this module's own types: requests, names and reply buffers, backing files and how a
// session ended, `Errno` and `FilePath`.
@_exported public import FUSEProtocol
@_exported public import FUSEServer
@_exported public import SystemPackage
