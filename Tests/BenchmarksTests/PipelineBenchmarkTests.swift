import Foundation
import Testing

@testable import Benchmarks

@Suite(.timeLimit(.minutes(2))) struct PipelineBenchmarkTests {
  private func measure(_ kind: PipelineLoad.Kind, ids: Int = 500, windows: Int = 0) throws
    -> PipelineMeasurement
  {
    let load = PipelineLoad(
      kind: kind, ids: ids, windows: windows, events: 3_000, warmUp: 1_000, recipients: 20_000, partitions: 4,
      seed: 7)
    guard
      case .pipeline(let measurement) = try LocalSteps(nil).run(
        .pipeline(load), prefix: "", onProgress: { _ in })
    else { throw BenchmarkError("not a pipeline's answer") }
    return measurement
  }

  @Test("the load is decided as a whole: its ids, its windows and its output are there")
  func mixed() throws {
    let measurement = try measure(.mixed, windows: 300)
    #expect(measurement.events == 3_000)
    // One event in ten is a repeat.
    #expect((500 + 3_400...500 + 4_300).contains(measurement.ids), "\(measurement.ids)")
    #expect(measurement.windows > 300)
    #expect(measurement.outputBytes > 3_000 * 500)
    #expect(measurement.nanosecondsPerEvent > 0)
    #expect(measurement.commits > 0)
  }

  @Test("repeats leave neither ids nor windows")
  func repeats() throws {
    let measurement = try measure(.repeats)
    #expect(measurement.ids < 500 + 200, "\(measurement.ids)")
    #expect(measurement.windows == 0)
  }

  @Test("windows that are closed are all closed, and each by a delivery")
  func closing() throws {
    let measurement = try measure(.closing, windows: 300)
    #expect(measurement.events == 300)
    #expect(measurement.outputRecords >= 300)
    #expect(measurement.bytesKeptPerWindow != nil)
    #expect(try measure(.mixed, windows: 300).bytesKeptPerWindow == nil)
  }

  @Test("of one type there is only that type")
  func oneType() throws {
    #expect(try measure(.only(0)).windows == 0)
    #expect(try measure(.only(2)).windows > 0)
  }

  @Test("one event in ten of the load is one of the last thousand of its partition")
  func repeatsOfTheLoad() {
    var load = EventLoad(seed: 3, partitionCount: 4)
    var recent: [[Int]] = Array(repeating: [], count: 4)
    var repeats = 0
    var types = [0, 0, 0, 0]
    for _ in 0..<20_000 {
      let event = load.next()
      types[event.type] += 1
      if let place = recent[event.partition].lastIndex(of: event.number) {
        repeats += 1
        #expect(recent[event.partition].count - place <= 1_000)
      } else {
        recent[event.partition].append(event.number)
      }
    }
    #expect((1_800...2_200).contains(repeats), "\(repeats)")
    #expect((1_700...2_300).contains(types[0]) && (7_500...8_500).contains(types[1]), "\(types)")
  }

  @Test("a report holds every row, and its JSON the figures of each run")
  func report() throws {
    var options = PipelineBenchmark.Options()
    options.ids = [200, 400]
    options.windows = [100]
    options.commonIDs = 300
    options.recipients = 5_000
    options.events = 500
    options.warmUp = 100
    options.partitions = 2
    options.runs = 2
    let report = try PipelineBenchmark(options, steps: LocalSteps(nil), onProgress: { _, _ in }).run()
    #expect(report.rows.count == 4 + 2 + 4)
    #expect(report.rows.allSatisfy { $0.nanosecondsPerEvent.values.count == 2 })
    let json = try JSONSerialization.jsonObject(with: Data(try report.json().utf8)) as? [String: Any]
    #expect((json?["rows"] as? [Any])?.count == 10)
  }

  @Test("only the rows that are asked for are measured")
  func only() throws {
    var options = PipelineBenchmark.Options()
    options.only = "decoding"
    options.events = 200
    options.partitions = 2
    options.runs = 1
    let report = try PipelineBenchmark(options, steps: LocalSteps(nil), onProgress: { _, _ in }).run()
    #expect(report.rows.map(\.name) == ["decoding alone"])
    #expect(PipelineBenchmark.rowNames.count == 8)
  }

  @Test("what is counted from outside does the same work every time")
  func counted() throws {
    let counts = try (0..<2).map { _ in try CountedLoad.run(events: 500) }
    #expect(counts[0] == counts[1])
    // Windows close in it: their digests are made of what they hold.
    #expect((counts[0] ?? 1) > 0)
  }

  @Test("a step that needs a cluster says so where there is none")
  func withoutCluster() {
    let error = #expect(throws: BenchmarkError.self) {
      try LocalSteps(nil).run(.readLog(topic: "state"), prefix: "bench", onProgress: { _ in })
    }
    #expect(error?.description.contains("needs a cluster") == true)
  }
}
