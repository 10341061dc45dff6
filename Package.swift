// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "tidings",
  platforms: [.macOS(.v15)],
  products: [.executable(name: "tidings", targets: ["tidings"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
  ],
  targets: [
    // The C libraries, a module map each. The targets of the Makefile install them from Debian.
    .systemLibrary(name: "CLibrdkafka", pkgConfig: "rdkafka", providers: [.apt(["librdkafka-dev"])]),
    .systemLibrary(name: "CXXHash", pkgConfig: "libxxhash", providers: [.apt(["libxxhash-dev"])]),
    .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(name: "CJemalloc", pkgConfig: "jemalloc", providers: [.apt(["libjemalloc-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "CSimdjson", linkerSettings: [.linkedLibrary("simdjson")]),
    .target(name: "CCopyLoop", dependencies: ["CLibrdkafka"]),
    .target(name: "CZeroedMemory"),

    .target(name: "Contract", dependencies: ["CXXHash", "CSimdjson"]),
    .target(name: "MarkedYAML", dependencies: ["Yams"]),
    .target(name: "Policy", dependencies: ["Contract", "MarkedYAML"]),
    .target(
      name: "Kafka",
      dependencies: ["CLibrdkafka", "Contract", .product(name: "Logging", package: "swift-log")]),
    .target(name: "Pipeline", dependencies: ["CJemalloc", "CXXHash", "Contract", "Policy"]),
    .target(name: "Replay", dependencies: ["Contract", "Pipeline", "Policy"]),
    .target(name: "Audit", dependencies: ["Contract", "Kafka", "MarkedYAML", "Pipeline", "Policy"]),
    .target(
      name: "Processor",
      dependencies: [
        "Contract", "Kafka", "Pipeline", "Policy",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ]),
    .target(
      name: "Settings",
      dependencies: ["MarkedYAML", .product(name: "Configuration", package: "swift-configuration")]),
    .target(
      name: "Delivery",
      dependencies: [
        "Contract", "Kafka",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "Mustache", package: "swift-mustache"),
      ]),
    .target(
      name: "EmailSink",
      dependencies: [
        "CCurl", "Contract", "Delivery",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Mustache", package: "swift-mustache"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ]),
    .target(
      name: "Inbox",
      dependencies: [
        "Contract", "Delivery", "Kafka",
        .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      // Compiled in, so that the program runs from anywhere without a bundle beside it.
      resources: [.embedInCode("Web")]),
    .target(
      name: "Operations",
      dependencies: [
        "Contract", "Kafka",
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ]),
    .target(
      name: "Benchmarks",
      dependencies: [
        "CCopyLoop", "CJemalloc", "Contract", "Kafka", "MarkedYAML", "Pipeline", "Policy", "Processor",
        .product(name: "Histogram", package: "hdrhistogram-swift"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
      ]),
    .executableTarget(
      name: "tidings",
      dependencies: [
        "Audit", "Benchmarks", "CJemalloc", "CZeroedMemory", "CZlib", "Contract", "Delivery", "EmailSink",
        "Inbox", "Kafka", "MarkedYAML", "Operations", "Pipeline", "Policy", "Processor", "Replay", "Settings",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ]),

    .target(name: "SeededTesting", path: "Tests/SeededTesting"),
    .testTarget(name: "MarkedYAMLTests", dependencies: ["MarkedYAML"]),
    .testTarget(name: "PolicyTests", dependencies: ["Contract", "MarkedYAML", "Policy", "SeededTesting"]),
    .testTarget(name: "ContractTests", dependencies: ["Contract", "SeededTesting"]),
    .testTarget(
      name: "PipelineTests", dependencies: ["Contract", "Pipeline", "Policy", "SeededTesting"],
      exclude: ["Fixtures"]),
    .target(
      name: "ProcessorTesting", dependencies: ["Contract", "Processor"], path: "Tests/ProcessorTesting"),
    .testTarget(
      name: "ProcessorTests",
      dependencies: [
        "Contract", "Kafka", "Pipeline", "Policy", "Processor", "ProcessorTesting", "SeededTesting",
        .product(name: "MetricsTestKit", package: "swift-metrics"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ]),
    .executableTarget(
      name: "InstructionCount", dependencies: ["Benchmarks"], path: "Tests/InstructionCount",
      exclude: ["stored.json"]),
    .testTarget(name: "SettingsTests", dependencies: ["Settings"]),
    .target(name: "KafkaTesting", dependencies: ["Contract", "Kafka"], path: "Tests/KafkaTesting"),
    .target(
      name: "SimulatedKafka", dependencies: ["Contract", "Kafka", "SeededTesting"],
      path: "Tests/SimulatedKafka"),
    .target(
      name: "Simulation",
      dependencies: [
        "Contract", "Kafka", "Pipeline", "Policy", "Processor", "ProcessorTesting", "SeededTesting",
        "SimulatedKafka",
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Tests/Simulation"),
    .executableTarget(
      name: "SimulationRunner",
      dependencies: [
        "Pipeline", "Simulation", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Tests/SimulationRunner"),
    .executableTarget(
      name: "KafkaHandleUse",
      dependencies: ["Kafka", "KafkaTesting", .product(name: "Logging", package: "swift-log")],
      path: "Tests/KafkaHandleUse"),
    .testTarget(
      name: "KafkaTests",
      dependencies: [
        "Contract", "Kafka", "KafkaHandleUse", "KafkaTesting",
        .product(name: "Logging", package: "swift-log"),
      ]),
    .testTarget(
      name: "SimulatedKafkaTests", dependencies: ["Kafka", "KafkaTesting", "SimulatedKafka"]),
    .target(
      name: "KafkaConformance", dependencies: ["Contract", "Kafka", "KafkaTesting"],
      path: "Tests/KafkaConformance"),
    .testTarget(
      name: "KafkaConformanceTests",
      dependencies: [
        "Kafka", "KafkaConformance", "SimulatedKafka", .product(name: "Logging", package: "swift-log"),
      ]),
    .testTarget(name: "DeliveryTests", dependencies: ["Contract", "Delivery", "Kafka", "SeededTesting"]),
    .testTarget(
      name: "EmailSinkTests",
      dependencies: [
        "CCurl", "Contract", "Delivery", "EmailSink", "Kafka", "SeededTesting",
        .product(name: "HummingbirdTesting", package: "hummingbird"),
      ]),
    .testTarget(
      name: "OperationsTests",
      dependencies: ["Operations", "Kafka", .product(name: "HummingbirdTesting", package: "hummingbird")]),
    .testTarget(
      name: "InboxTests",
      dependencies: [
        "Contract", "Inbox", "Kafka", "SeededTesting",
        .product(name: "HummingbirdTesting", package: "hummingbird"),
        .product(name: "MetricsTestKit", package: "swift-metrics"),
      ]),
    .testTarget(
      name: "TidingsTests",
      dependencies: [
        "Audit", "Benchmarks", "Contract", "Inbox", "Kafka", "Operations", "Pipeline", "Policy", "Processor",
        "Replay", "tidings",
        .product(name: "Logging", package: "swift-log"),
      ]),
    .testTarget(name: "CrashTestTests"),
    .testTarget(
      name: "SimulationTests",
      dependencies: [
        "CXXHash", "Contract", "Kafka", "Pipeline", "Policy", "Processor", "SimulatedKafka", "Simulation",
        .product(name: "Logging", package: "swift-log"),
      ]),
    .testTarget(
      name: "BenchmarksTests",
      dependencies: ["Benchmarks", "Contract", "Kafka", .product(name: "Logging", package: "swift-log")]),
    .testTarget(
      name: "ReplayTests", dependencies: ["Contract", "Pipeline", "Policy", "Replay", "SeededTesting"]),
    .testTarget(
      name: "AuditTests",
      dependencies: ["Audit", "Contract", "Kafka", "Pipeline", "Policy", "SimulatedKafka"]),
  ],
  cxxLanguageStandard: .cxx17
)

// The simulation's own builds can make the processor's mistakes; no other has anything of them (docs/simulation.md).
if Context.environment["TIDINGS_FLAWS"] == "1" {
  for target in package.targets
  where ["Pipeline", "Processor", "Simulation", "SimulationRunner", "SimulationTests"].contains(target.name) {
    target.swiftSettings = (target.swiftSettings ?? []) + [.define("TIDINGS_FLAWS")]
  }
}

// What handles memory by hand, with its tests: the AddressSanitizer wants a build of its own (make test-address).
if Context.environment["TIDINGS_ADDRESS"] == "1" {
  let checked: Set = [
    "CSimdjson", "CXXHash", "Contract", "ContractTests", "MarkedYAML", "Pipeline",
    "PipelineTests",
    "Policy", "PolicyTests", "SeededTesting",
  ]
  package.products = []
  package.targets.removeAll { !checked.contains($0.name) }
  for target in package.targets
  where ["Contract", "ContractTests", "Pipeline", "PipelineTests"].contains(target.name) {
    // The sanitizer brings its own.
    target.dependencies.removeAll { if case .byNameItem("CJemalloc", _) = $0 { true } else { false } }
    target.swiftSettings = (target.swiftSettings ?? []) + [.define("TIDINGS_ADDRESS")]
  }
}

// Only on request: a newer compiler may warn of what this one does not, and nobody's build should end there.
if Context.environment["TIDINGS_WARNINGS_AS_ERRORS"] == "1" {
  for target in package.targets where target.type != .system {
    target.swiftSettings = (target.swiftSettings ?? []) + [.treatAllWarnings(as: .error)]
  }
}
