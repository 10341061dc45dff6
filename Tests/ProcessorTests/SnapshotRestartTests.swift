import Contract
import Foundation
import Kafka
import Pipeline
import Testing

@testable import Processor

@Suite(.serialized) struct SnapshotRestartTests {
  private static let names = (0..<40).map { "user\($0)" }

  private final class Folder {
    let path = NSTemporaryDirectory() + "state-\(UInt64.random(in: .min ... .max))"
    var files: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }

    deinit { try? FileManager.default.removeItem(atPath: path) }
  }

  /// Publishes a batch of events, and waits until all of them are decided.
  private func publish(
    _ batch: String, to running: ProcessorHarness.Running, _ harness: ProcessorHarness
  ) async throws {
    let before = running.status.counters.inapp.accepted
    try await harness.publish(
      Self.names.map { ProcessorHarness.event("\(batch)-\($0)", recipients: $0) }, keys: Self.names)
    try await eventually("batch \(batch) is decided") {
      try running.checkAlive()
      return running.status.counters.inapp.accepted == before + Int64(Self.names.count)
    }
  }

  private func restoredRecords(_ running: ProcessorHarness.Running) -> Int64 {
    running.status.workers.values.flatMap(\.partitions).reduce(0) { $0 + $1.restoredRecords }
  }

  @Test("a restart reads its snapshot and one record of the state log, and knows all that was decided")
  func restart() async throws {
    let harness = try ProcessorHarness(partitionCount: 2)
    let folder = Folder()
    let first = try await harness.start { $0.stateDirectory = folder.path }
    for batch in 0..<5 { try await publish("\(batch)", to: first, harness) }
    try await first.stop()
    #expect(folder.files == (0..<2).map { "\(harness.prefix).state-\($0).snapshot" })

    let log = CollectedLog()
    harness.logger = log.logger
    let second = try await harness.start { $0.stateDirectory = folder.path }
    #expect(restoredRecords(second) == 2, "one record for each of two partitions")
    #expect(log.contains("snapshot read", "\(harness.prefix).state-0.snapshot"))
    for batch in 0..<5 { try await publish("\(batch)", to: second, harness) }
    try await publish("new", to: second, harness)
    try await second.stop()
    let counters = second.status.counters
    #expect(counters.difference == 0)
    #expect(counters.inapp.suppressed[.duplicate] == 200)
    #expect(counters.inapp.delivered == 240)
    #expect(try harness.deliveries(.inapp).count == 240)
  }

  @Test("a snapshot of a running processor is a start, too: the rest comes from the state log")
  func whileRunning() async throws {
    let harness = try ProcessorHarness(partitionCount: 2)
    let folder = Folder()
    let copy = Folder()
    let first = try await harness.start {
      $0.stateDirectory = folder.path
      $0.snapshotInterval = .milliseconds(50)
    }
    var batches = 0
    while folder.files.filter({ $0.hasSuffix(".snapshot") }).count < 2 {
      try #require(batches < 200, "no snapshot was written")
      try await publish("\(batches)", to: first, harness)
      batches += 1
    }
    // As if the process had been killed here: the log goes on, this copy does not.
    try FileManager.default.createDirectory(atPath: copy.path, withIntermediateDirectories: true)
    for file in folder.files where file.hasSuffix(".snapshot") {
      try FileManager.default.copyItem(atPath: folder.path + "/" + file, toPath: copy.path + "/" + file)
    }
    for _ in 0..<3 {
      try await publish("\(batches)", to: first, harness)
      batches += 1
    }
    try await first.stop()

    let log = CollectedLog()
    harness.logger = log.logger
    let second = try await harness.start { $0.stateDirectory = copy.path }
    #expect(restoredRecords(second) > 2)
    #expect(log.contains("snapshot read"))
    #expect(!log.contains("not used"))
    for batch in 0..<batches { try await publish("\(batch)", to: second, harness) }
    try await second.stop()
    #expect(second.status.counters.difference == 0)
    #expect(try harness.deliveries(.inapp).count == batches * Self.names.count)
  }

  @Test(
    "a damaged snapshot is not used, the log says so with file and reason, and nothing is lost",
    .enabled(if: ProcessorHarness.bootstrapServers != nil))
  func damaged() async throws {
    let harness = try ProcessorHarness(partitionCount: 2)
    let folder = Folder()
    let first = try await harness.start { $0.stateDirectory = folder.path }
    for batch in 0..<3 { try await publish("\(batch)", to: first, harness) }
    try await first.stop()
    for file in folder.files {
      let url = URL(fileURLWithPath: folder.path + "/" + file)
      var data = try Data(contentsOf: url)
      data[data.count / 2] ^= 1
      try data.write(to: url)
    }
    let log = CollectedLog()
    harness.logger = log.logger
    let second = try await harness.start { $0.stateDirectory = folder.path }
    #expect(restoredRecords(second) > 2)
    for partition in 0..<2 {
      #expect(
        log.contains(
          "warning snapshot not used", "damaged", "partition=\(partition)",
          folder.path + "/\(harness.prefix).state-\(partition).snapshot"))
    }
    for batch in 0..<3 { try await publish("\(batch)", to: second, harness) }
    try await second.stop()
    #expect(try harness.deliveries(.inapp).count == 3 * Self.names.count)
  }

  @Test("a snapshot of another history of the same partition is not used, however well it is formed")
  func otherHistory() async throws {
    let folder = Folder()
    let copy = Folder()
    let other = try ProcessorHarness(partitionCount: 1)
    let foreign = try await other.start { $0.stateDirectory = folder.path }
    for batch in 0..<2 { try await publish("\(batch)", to: foreign, other) }
    try await foreign.stop()

    let harness = try ProcessorHarness(partitionCount: 1)
    let first = try await harness.start()
    for batch in 0..<4 { try await publish("\(batch)", to: first, harness) }
    try await first.stop()
    try FileManager.default.createDirectory(atPath: copy.path, withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      atPath: folder.path + "/\(other.prefix).state-0.snapshot",
      toPath: copy.path + "/\(harness.prefix).state-0.snapshot")
    let log = CollectedLog()
    harness.logger = log.logger
    let second = try await harness.start { $0.stateDirectory = copy.path }
    // On a real broker the two have prefixes of their own; in embedded clusters only the epoch differs.
    let reason = other.prefix == harness.prefix ? "epoch" : "it is of the topic \(other.prefix).state"
    #expect(log.contains("snapshot not used", reason))
    for batch in 0..<4 { try await publish("\(batch)", to: second, harness) }
    try await second.stop()
    #expect(try harness.deliveries(.inapp).count == 4 * Self.names.count)
  }

  @Test("a state directory that cannot be written is a warning, and the processor goes on without")
  func unwritable() async throws {
    let harness = try ProcessorHarness(partitionCount: 1)
    let log = CollectedLog()
    harness.logger = log.logger
    let running = try await harness.start {
      $0.stateDirectory = "/dev/null/state"
      $0.snapshotInterval = .milliseconds(50)
    }
    try await publish("1", to: running, harness)
    try await eventually("it is said") {
      log.contains("warning the snapshot cannot be saved", "/dev/null/state")
    }
    try await publish("2", to: running, harness)
    try await running.stop()
    #expect(try harness.deliveries(.inapp).count == 2 * Self.names.count)
  }
}
