import CCopyLoop
import Contract
import Foundation
import Kafka
import Processor

/// Copies the events topic by a loop in plain C (`Sources/CCopyLoop`), with the properties, the commit rule and the overlap
/// of ``PassThroughStep``: what that one costs beyond the client library.
struct CopyLoopStep {
  private let site: BenchSite
  private let options: ThroughputOptions

  init(_ site: BenchSite, _ options: ThroughputOptions) {
    self.site = site
    self.options = options
  }

  func run() throws -> Throughput {
    guard let clients = site.cluster as? any LibrdkafkaClients else {
      throw BenchmarkError("the loop in C runs only where librdkafka does")
    }
    let copy = PassThroughStep.Clients(site, options)
    let consumer = Properties(try clients.properties(of: copy.consumer))
    let producer = Properties(try clients.properties(of: copy.producer))
    let (source, target) = (strdup("\(site.prefix).events"), strdup(copy.topic))
    defer {
      free(source)
      free(target)
    }
    let span = Span()
    var message = [CChar](repeating: 0, count: 512)
    let code = withExtendedLifetime((consumer, producer, span)) {
      var loop = copy_loop_options()
      (loop.consumer, loop.consumer_count) = (consumer.start, consumer.count)
      (loop.producer, loop.producer_count) = (producer.start, producer.count)
      (loop.source, loop.target) = (UnsafePointer(source), UnsafePointer(target))
      loop.partition_count = copy.configuration.partitionCount
      loop.records = Int64(options.events)
      loop.commit_bytes = copy.configuration.commitBytes
      loop.commit_records = copy.configuration.commitRecords
      loop.commit_interval_ms = Int32(copy.configuration.commitInterval / .milliseconds(1))
      loop.backlog_records = copy.backlogRecords
      loop.backlog_bytes = copy.configuration.inputBytes
      loop.read_ahead = consumer.readAhead
      loop.timeout_ms = 60_000
      loop.assigned = { context in
        guard let context else { return }
        Unmanaged<Span>.fromOpaque(context).takeUnretainedValue().begin()
      }
      loop.ended = { context in
        guard let context else { return }
        Unmanaged<Span>.fromOpaque(context).takeUnretainedValue().end()
      }
      loop.context = Unmanaged.passUnretained(span).toOpaque()
      return copy_loop_run(&loop, &message, message.count)
    }
    guard code == 0 else {
      throw BenchmarkError(
        "the loop in C ended: \(String(decoding: message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))"
      )
    }
    return Throughput(
      events: options.events, seconds: span.seconds, cpuSeconds: span.cpuSeconds, peakBytes: span.peakBytes,
      commits: nil)
  }

  /// From the moment at which the group assigned the partitions until the last commit.
  private final class Span {
    private var watch = Stopwatch()
    private var usage = ProcessUsage.now()
    private(set) var seconds = 0.0
    private(set) var cpuSeconds = 0.0
    private(set) var peakBytes: Int64 = 0

    func begin() {
      watch = Stopwatch()
      usage = ProcessUsage.now()
    }

    func end() {
      seconds = watch.seconds
      let end = ProcessUsage.now()
      cpuSeconds = end.cpuSeconds - usage.cpuSeconds
      peakBytes = end.peakBytes
    }
  }

  /// Properties as C reads them.
  private final class Properties {
    let count: Int
    /// The messages that a consumer fetches ahead; librdkafka's own number where none is set.
    let readAhead: Int64
    private let list: UnsafeMutablePointer<copy_loop_property>

    init(_ properties: [(name: String, value: String)]) {
      count = properties.count
      readAhead = properties.last { $0.name == "queued.min.messages" }.flatMap { Int64($0.value) } ?? 100_000
      list = .allocate(capacity: count)
      for (index, property) in properties.enumerated() {
        (list + index).initialize(
          to: copy_loop_property(name: strdup(property.name), value: strdup(property.value)))
      }
    }

    deinit {
      for index in 0..<count {
        free(UnsafeMutablePointer(mutating: list[index].name))
        free(UnsafeMutablePointer(mutating: list[index].value))
      }
      list.deallocate()
    }

    var start: UnsafePointer<copy_loop_property> { UnsafePointer(list) }
  }
}
