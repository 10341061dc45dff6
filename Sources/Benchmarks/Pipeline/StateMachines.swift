import Contract
import Pipeline
import Policy
import Processor

/// The state machines of all home partitions, driven by this thread: events go in, and commits are made as the processor
/// makes them, but with nowhere to write.
final class StateMachines {
  /// One home partition.
  final class Home {
    var pipeline: Pipeline
    fileprivate var offset: Int64 = 0

    fileprivate init(_ pipeline: consuming Pipeline) { self.pipeline = pipeline }
  }

  /// What a commit would have written: deliveries, decisions, state.
  struct Output {
    var records = 0
    var bytes = 0
  }

  let configuration: ProcessorConfiguration
  let homes: [Home]
  private var codecs: Codecs
  private var stateRecord = OutputBuffer.ofBatch()
  private var isSealed = false

  init(partitions: Int, catalog: Catalog, seed: UInt64) throws {
    let configuration = ProcessorConfiguration(prefix: "bench", partitionCount: Int32(clamping: partitions))
    self.configuration = configuration
    codecs = try Codecs(prefix: configuration.prefix, recordLimit: configuration.recordLimit)
    homes = (0..<configuration.partitionCount).map { partition in
      Home(configuration.startedPipeline(partition: partition, catalog: catalog, epoch: seed | 1))
    }
  }

  /// Bytes that the next commit would send.
  var pendingBytes: Int { homes.reduce(0) { $0 + $1.pipeline.pendingBytes } }

  var openWindows: Int { homes.reduce(0) { $0 + $1.pipeline.openWindowCount } }

  /// Takes in the record of a recipient, as it is in their topic.
  func load(recipient content: InputRecord, offset: Int64, to partition: Int, at now: Int64) {
    homes[partition].pipeline.load(
      PartitionRecord(topic: .recipients, offset: offset, appended: now, content: content), using: &codecs)
  }

  /// Decides an event.
  ///
  /// - Parameter now: milliseconds since the epoch.
  func apply(_ content: InputRecord, to partition: Int, at now: Int64) throws {
    let home = homes[partition]
    let progress = try home.pipeline.apply(
      PartitionRecord(topic: .events, offset: home.offset, appended: now, content: content), now: now,
      using: &codecs)
    guard progress == .done else {
      throw BenchmarkError("an event of the load was not decided at once: this is a fault")
    }
    home.offset += 1
  }

  /// What a commit asks of the pipelines: the outcome of the one before, their output, and their state records.
  func commit() -> Output {
    var output = Output()
    for home in homes {
      if isSealed { home.pipeline.confirm() }
      output.records += home.pipeline.outbox.count + 1
      output.bytes += home.pipeline.outbox.byteCount
      if let decisions = home.pipeline.takeDecisions() {
        output.records += 1
        output.bytes += decisions.count
      }
      stateRecord.removeAll()
      _ = home.pipeline.seal(into: &stateRecord)
      output.bytes += stateRecord.count
    }
    isSealed = true
    return output
  }

  func checkLaw() throws {
    for home in homes where home.pipeline.counters.total.difference != 0 {
      throw BenchmarkError("the conservation law does not hold behind the load: this is a fault")
    }
  }
}
