import Foundation
import Kafka
import Logging
import Testing

@testable import Benchmarks

@Suite(.serialized, .timeLimit(.minutes(2))) struct RestoreBenchmarkTests {
  private func makeSite(partitionCount: Int = 4) throws -> BenchSite {
    var logger = Logger(label: "bench")
    logger.logLevel = .error
    return BenchSite(
      cluster: try EmbeddedCluster(logger: logger), prefix: "bench", partitionCount: partitionCount,
      logger: logger)
  }

  private func options(ids: Int, items: Int) -> RestoreBenchmark.Options {
    var options = RestoreBenchmark.Options()
    options.ids = ids
    options.items = items
    options.partitions = 4
    options.runs = 1
    return options
  }

  @Test("the state that was written is restored whole, and both ways of reading it are reported")
  func restore() throws {
    let site = try makeSite()
    let benchmark = RestoreBenchmark(
      options(ids: 3000, items: 400), at: site, steps: LocalSteps(site), onProgress: { _, _ in })
    let report = try benchmark.run()
    #expect(report.state.ids == 3000)
    #expect(report.state.items == 400)
    #expect(report.logBytes > 3000 * 16)
    #expect(report.log.seconds.values.count == 1)
    #expect(report.restore.ratio.values.count == 1)
    for measurement in [report.snapshots, report.empty] {
      #expect(measurement.secondsToDecision.values.count == 1)
    }
    // The folder of temporary files may be in memory.
    #expect(report.snapshotsOnDisk.secondsToDecision.values.count == (report.areSnapshotsInMemory ? 0 : 1))
    #expect(report.snapshotBytes > 3000 * 16)
    // Memory and processor time of one process say nothing of one step.
    #expect(report.restore.peakMegabytes.values.isEmpty)
    let json = try JSONSerialization.jsonObject(with: Data(try report.json().utf8)) as? [String: Any]
    #expect(json?["benchmark"] as? String == "restore")
  }

  @Test(
    "snapshots in a file system in memory are not said to be read from a disk",
    .enabled(if: FileManager.default.fileExists(atPath: "/dev/shm")))
  func snapshotsInMemory() throws {
    let site = try makeSite()
    var options = options(ids: 300, items: 40)
    options.stateDirectory = "/dev/shm"
    let report = try RestoreBenchmark(
      options, at: site, steps: LocalSteps(site), onProgress: { _, _ in }
    ).run()
    #expect(report.areSnapshotsInMemory)
    #expect(report.snapshots.seconds.values.count == 1 && report.snapshotsOnDisk.seconds.values.isEmpty)
  }

  @Test("the type of a file system is that of its device")
  func fileSystem() {
    let mounts = """
      36 35 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw
      40 36 0:1048 / /dev/shm rw master:2 shared:3 - tmpfs tmpfs rw
      """
    // Twelve bits of the major number and eight of the minor one, then the rest of each.
    #expect(SnapshotFolder.fileSystem(ofDevice: 0x10301, mounts: mounts) == "ext4")
    #expect(SnapshotFolder.fileSystem(ofDevice: 0x400018, mounts: mounts) == "tmpfs")
    #expect(SnapshotFolder.fileSystem(ofDevice: 0x10302, mounts: mounts) == nil)
  }

  @Test("a topic that is there already is left alone, and nothing is measured")
  func existingTopic() throws {
    let site = try makeSite()
    try site.cluster.admin.create(
      [NewTopic(name: "bench.state", partitionCount: 4)], timeout: .seconds(10))
    let benchmark = RestoreBenchmark(
      options(ids: 100, items: 10), at: site, steps: LocalSteps(site), onProgress: { _, _ in })
    let error = #expect(throws: BenchmarkError.self) { try benchmark.run() }
    #expect(error?.description.contains("bench.state is there already") == true)
    let topics = try site.cluster.admin.topics(timeout: .seconds(10)).map(\.name)
    #expect(topics == ["bench.state"])
  }

  @Test("a state that the embedded cluster would drop is refused, with the sizes that fit")
  func tooLarge() throws {
    let site = try makeSite()
    let benchmark = RestoreBenchmark(
      options(ids: 10_000_000, items: 1_000_000), at: site, steps: LocalSteps(site), onProgress: { _, _ in })
    let error = #expect(throws: BenchmarkError.self) { try benchmark.run() }
    #expect(error?.description.contains("KAFKA_BOOTSTRAP_SERVERS") == true)
  }
}
