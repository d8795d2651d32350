import CFUSE
import Testing

@testable import FUSE

struct OptionsTests {
    private func parse(_ arguments: [String], operands: [String] = []) throws(ServeError) -> CommandLineArguments {
        try CommandLineArguments(arguments, ServeOptions(), operands: operands, program: "fs")
    }

    @Test func aCommandLineIsTaken() throws {
        let parsed = try parse(
            ["--transport", "uring-single", "-o", "ro,noexec", "/src", "-o", "max_read=8192", "/mnt"],
            operands: ["SOURCE"])
        #expect(parsed.options.transport.name == .uringSingle)
        #expect(parsed.options.mountOptions == ["ro", "noexec", "max_read=8192"])
        #expect(parsed.operands == ["/src"])
        #expect(parsed.mountPoint == "/mnt")
    }

    @Test(arguments: [[], ["--transport"], ["--transport", "none", "/mnt"], ["-x", "/mnt"], ["/a", "/b"]])
    func aWrongOneIsRefused(arguments: [String]) {
        let error = #expect(throws: ServeError.self) { _ = try parse(arguments) }
        #expect(error?.exitStatus == 64)
    }

    @Test func mountOptionsKeepTheirCommas() {
        var options = ServeOptions()
        options.readOnly = true
        options.defaultPermissions = false
        options.source = "a,b\\c"
        options.type = "hello"
        options.mountOptions = ["noexec"]
        #expect(options.mountOptionText(program: "fs") == #"noexec,ro,fsname=a\,b\\c,subtype=hello"#)
        #expect(
            ServeOptions().mountOptionText(program: "fs") == "default_permissions,fsname=fs,subtype=fs")
    }

    @Test func autoUnmountIsNotForTheKernel() {
        var options = ServeOptions()
        #expect(!options.unmountsByItself)
        options.mountOptions = ["auto_unmount", "noexec"]
        #expect(options.unmountsByItself)
        #expect(options.mountOptionText(program: "fs") == "noexec,default_permissions,fsname=fs,subtype=fs")
        options.mountOptions = []
        options.autoUnmount = true
        #expect(options.unmountsByItself)
    }

    @Test func changesAreAppliedAtOneTime() {
        var arguments = fuse_setattr_in()
        arguments.valid = UInt32(FATTR_MODE | FATTR_SIZE | FATTR_MTIME | FATTR_FH)
        arguments.mode = 0o100_604
        arguments.size = 1000
        arguments.mtime = 5
        arguments.mtimensec = 6
        arguments.fh = 8
        let changes = AttributeChanges(arguments)
        #expect(changes.handle == 8)
        var attributes = Attributes(.file, permissions: 0o777, user: 3)
        changes.apply(to: &attributes, at: Timestamp(seconds: 9))
        #expect(attributes.permissions == 0o604)
        #expect(attributes.size == 1000 && attributes.blocks == 2)
        #expect(attributes.modified == Timestamp(seconds: 5, nanoseconds: 6))
        #expect(attributes.changed == Timestamp(seconds: 9))
        #expect(attributes.accessed == Timestamp(seconds: 0))
        #expect(attributes.user == 3)
    }
}
