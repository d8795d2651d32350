// swift-tools-version: 6.2

import PackageDescription

let settings: [SwiftSetting] = [
    .enableExperimentalFeature("Lifetimes"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// For targets that work with raw memory: each place that does is marked, and nothing else may.
let strictSettings = settings + [.strictMemorySafety()]

let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
/// What only the bench needs is not even fetched for who wants the library alone: `.package(…, traits: [])`.
let bench = TargetDependencyCondition.when(traits: ["Bench"])
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

/// A filesystem on the library's public face: what is `package` is as hidden from it as from a stranger.
func example(_ name: String) -> Target {
    .executableTarget(name: name, dependencies: ["FUSE"], path: "Examples/\(name)", packageAccess: false)
}

let package = Package(
    name: "fstestkit",
    products: [
        .executable(name: "fstestkit", targets: ["fstestkit"]),
        .library(name: "FUSE", targets: ["FUSE"]),
    ],
    traits: [
        .trait(name: "Bench", description: "The program fstestkit; without it there is the library alone."),
        .default(enabledTraits: ["Bench"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // C only: the wire ABI, the system calls that Swift cannot import, the two libraries.
        .target(name: "CFUSE"),
        .target(name: "CLinux"),
        .target(name: "CBench"),
        .systemLibrary(name: "CLibURing", pkgConfig: "liburing", providers: [.apt(["liburing-dev"])]),
        .systemLibrary(name: "CLibFUSE3", pkgConfig: "fuse3", providers: [.apt(["libfuse3-dev"])]),

        // What daemon and bench both need of the system: errno as an error, the mount table.
        .target(name: "LinuxSystem", dependencies: ["CLinux", system], swiftSettings: strictSettings),

        .target(name: "FUSEProtocol", dependencies: ["CFUSE", system], swiftSettings: strictSettings),
        .target(
            name: "FUSEServer",
            dependencies: ["FUSEProtocol", "LinuxSystem", "CFUSE", "CLinux", "CLibFUSE3", system, logging],
            swiftSettings: strictSettings),
        // /dev/fuse: the classic transport's way, and what a ring leaves to it.
        .target(
            name: "FUSEDevice", dependencies: ["FUSEServer", "FUSEProtocol", "LinuxSystem", "CFUSE", "CLinux", system],
            swiftSettings: strictSettings),
        .target(
            name: "TransportLegacy", dependencies: ["FUSEDevice", "FUSEServer", "FUSEProtocol", "LinuxSystem", system],
            swiftSettings: settings),
        .target(
            name: "TransportURing",
            dependencies: [
                "FUSEDevice", "FUSEServer", "FUSEProtocol", "LinuxSystem", "CFUSE", "CLinux", "CLibURing", system,
            ],
            swiftSettings: strictSettings),
        .target(
            name: "LoopbackFS",
            dependencies: ["FUSEServer", "FUSEProtocol", "LinuxSystem", "CFUSE", "CLinux", system, logging],
            swiftSettings: strictSettings),

        // The library's face: filesystems in Swift's types, and one call that serves them.
        .target(
            name: "FUSE",
            dependencies: [
                "FUSEServer", "FUSEProtocol", "TransportLegacy", "TransportURing", "LinuxSystem", "CFUSE", "CLinux",
                system, logging,
            ],
            swiftSettings: strictSettings),

        // What our own daemon can be made to do wrong, so that the suites can show that they see it.
        .target(
            name: "Faults",
            dependencies: ["TransportURing", "FUSEServer", "FUSEProtocol", "LinuxSystem", "CFUSE", "CLinux", system],
            swiftSettings: settings),

        // Kernels, their guests' machines and consoles. Knows nothing of FUSE.
        .target(
            name: "VirtualMachines", dependencies: ["LinuxSystem", "CLinux", system],
            resources: [
                .embedInCode("Guest/init.sh"), .embedInCode("Guest/initramfs.sh"), .embedInCode("Build/base.config"),
                .embedInCode("Build/sanitizers.config"), .embedInCode("Build/kcsan.config"),
            ], swiftSettings: settings),

        // Knows daemons only as child processes: never depends on a transport or on the filesystem.
        .target(
            name: "BenchCore", dependencies: ["LinuxSystem", "CBench", "CFUSE", "CLinux", system],
            swiftSettings: settings),
        // One target for each suite; none depends on another.
        .target(
            name: "CorrectnessSuite", dependencies: ["BenchCore", "LinuxSystem", "CBench", "CLinux", system],
            swiftSettings: settings),
        .target(
            name: "StopPathSuite", dependencies: ["BenchCore", "LinuxSystem", system], swiftSettings: settings),
        .target(
            name: "XFSTestsSuite", dependencies: ["BenchCore", "LinuxSystem", "CLinux", system], swiftSettings: settings
        ),
        .target(
            name: "HostileSourceSuite", dependencies: ["BenchCore", "LinuxSystem", "CBench", "CLinux", system],
            swiftSettings: settings),
        .target(
            name: "RingFuzzSuite", dependencies: ["BenchCore", "LinuxSystem", "CBench", "CFUSE", "CLinux", system],
            swiftSettings: settings),
        .target(
            name: "SpeedSuite", dependencies: ["BenchCore", "LinuxSystem", "CBench", "CLinux", system],
            swiftSettings: settings),
        // A suite that runs in guests, one after another when they die.
        .target(
            name: "SuitesInGuests", dependencies: ["BenchCore", "VirtualMachines"], swiftSettings: settings),
        // The matrix, its results and their reports. It starts the suites as processes, and reads what they say.
        .target(
            name: "TestMatrix",
            dependencies: [
                "BenchCore", "LinuxSystem", "CLinux", system,
                .product(name: "GRDB", package: "GRDB.swift", condition: bench),
                .product(name: "Yams", package: "Yams", condition: bench),
            ],
            resources: [
                .embedInCode("Report/Page/report.css"), .embedInCode("Report/Page/report.js"),
                .embedInCode("Speed/speed.css"), .embedInCode("Site/site.css"),
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "fstestkit",
            dependencies: [
                "BenchCore", "CorrectnessSuite", "StopPathSuite", "HostileSourceSuite", "XFSTestsSuite",
                "RingFuzzSuite", "SpeedSuite", "TestMatrix", "FUSE", "FUSEServer", "LoopbackFS", "Faults",
                "VirtualMachines", "SuitesInGuests", "LinuxSystem", "CLinux", system, logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser", condition: bench),
            ],
            swiftSettings: settings),

        // What the library is for, written with what it offers to everyone and nothing else.
        example("HelloFS"),
        example("MemoryFS"),
        example("PassthroughFS"),
        example("SlowFS"),

        .testTarget(name: "LinuxSystemTests", dependencies: ["LinuxSystem"], swiftSettings: settings),
        .testTarget(name: "FUSEProtocolTests", dependencies: ["FUSEProtocol"], swiftSettings: settings),
        .testTarget(name: "LoopbackFSTests", dependencies: ["LoopbackFS", "LinuxSystem"], swiftSettings: settings),
        .testTarget(
            name: "FUSEServerTests", dependencies: ["FUSEServer", "LinuxSystem", "CLinux"], swiftSettings: settings),
        .testTarget(name: "FUSETests", dependencies: ["FUSE", "CFUSE", "LinuxSystem"], swiftSettings: settings),
        .testTarget(
            name: "TransportURingTests", dependencies: ["TransportURing", "FUSEServer", "LinuxSystem", "CLibURing"],
            swiftSettings: settings),
        .testTarget(
            name: "WireTests", dependencies: ["TransportLegacy", "LoopbackFS", "Faults"], swiftSettings: settings),
        .testTarget(
            name: "BenchCoreTests", dependencies: ["BenchCore", "LinuxSystem", "CLinux"], swiftSettings: settings),
        .testTarget(
            name: "CorrectnessSuiteTests", dependencies: ["CorrectnessSuite", "BenchCore"], swiftSettings: settings),
        .testTarget(name: "StopPathSuiteTests", dependencies: ["StopPathSuite"], swiftSettings: settings),
        .testTarget(
            name: "HostileSourceSuiteTests", dependencies: ["HostileSourceSuite", "BenchCore"], swiftSettings: settings
        ),
        .testTarget(name: "RingFuzzSuiteTests", dependencies: ["RingFuzzSuite"], swiftSettings: settings),
        .testTarget(
            name: "XFSTestsSuiteTests", dependencies: ["XFSTestsSuite", "BenchCore"], swiftSettings: settings),
        .testTarget(
            name: "SpeedSuiteTests", dependencies: ["SpeedSuite", "BenchCore", "LinuxSystem"], swiftSettings: settings),
        .testTarget(
            name: "TestMatrixTests", dependencies: ["TestMatrix", "BenchCore", "LinuxSystem"], swiftSettings: settings),
        .testTarget(
            name: "SuitesInGuestsTests", dependencies: ["SuitesInGuests", "BenchCore", "VirtualMachines"],
            swiftSettings: settings),
        .testTarget(name: "VirtualMachinesTests", dependencies: ["VirtualMachines"], swiftSettings: settings),
        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                "BenchCore", "CLinux", "CorrectnessSuite", "StopPathSuite", "HostileSourceSuite", "TestMatrix",
                "FUSEServer",
                "LinuxSystem", "Faults", "fstestkit", "HelloFS", "MemoryFS", "PassthroughFS", "SlowFS",
            ],
            exclude: ["Preload", "StandIn"], swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)

// The decoder's fuzzer has no main of its own: only a build for it (scripts/fuzz) has the target.
if Context.environment["FSTESTKIT_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(
            name: "DecoderFuzzer", dependencies: ["FUSEServer"],
            swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])]))
}
