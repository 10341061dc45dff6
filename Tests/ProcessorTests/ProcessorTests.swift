import Contract
import Foundation
import Kafka
import Pipeline
import Testing

@testable import Processor

@Suite(.serialized) struct ProcessorTests {
  @Test("every notification is delivered once: alone in the inbox, in a digest by email")
  func endToEnd() async throws {
    let harness = try ProcessorHarness()
    let names = (0..<20).map { "user\($0)" }
    let running = try await harness.start()
    try await harness.publish(
      names.map { "{\"email\":\"\($0)@example.org\"}" }, to: "recipients", keys: names,
      contentType: "application/json")
    var events: [String] = []
    for number in 0..<50 {
      events.append(
        ProcessorHarness.event("e\(number)", recipients: names.shuffled().prefix(4).joined(separator: ",")))
      if number % 5 == 0, let again = events.randomElement() { events.append(again) }
    }
    try await eventually("the recipients are known") { running.status.counters.decided >= 20 }
    try await harness.publish(events + ["{broken", "{}"])
    try await eventually("all is decided, and no window is open") {
      let counters = running.status.counters
      return counters.total.accepted == 2 * Int64(events.count) * 4 && counters.total.open == 0
        && counters.rejected == 2
    }
    try await running.stop()
    let counters = running.status.counters
    #expect(counters.difference == 0)
    #expect(counters.inapp.delivered == 200)
    #expect(counters.email.delivered == 200)
    #expect(counters.total.suppressed[.duplicate] == 2 * 4 * Int64(events.count - 50))

    let inapp = try harness.deliveries(.inapp)
    let identities = try inapp.map { delivery in
      let items = try #require(delivery["items"] as? [[String: Any]])
      return "\(delivery["recipient"] ?? "") \(items[0]["id"] ?? "")"
    }
    #expect(Set(identities).count == 200)
    #expect(identities.count == 200)
    let email = try harness.deliveries(.email)
    let total = try email.reduce(0) { sum, delivery in
      let totals = try #require(delivery["totals"] as? [String: Any])
      return sum + (try #require(totals["events"] as? Int))
    }
    #expect(total == 200)
    #expect(email.count < 200)
    let reasons = Set(try harness.read("rejected").compactMap { $0.headers["tidings-reason"] })
    #expect(reasons == ["notJSON", "missingAttribute"])
    let decisions = try harness.read("decisions").flatMap { record in
      try #require(JSONSerialization.jsonObject(with: Data(record.value.utf8)) as? [[String: Any]])
    }
    #expect(decisions.count == 4 * events.count + email.count)
  }

  @Test("after a restart what was decided before is a duplicate, and an open window is still closed")
  func restart() async throws {
    // Long enough to be open over the restart.
    let catalog = ProcessorHarness.catalogYAML.replacing("window: 500ms", with: "window: 5s")
    let harness = try ProcessorHarness(partitionCount: 2, catalogYAML: catalog)
    let first = try await harness.start()
    try await harness.publish(
      ["{\"email\":\"ann@example.org\"}"], to: "recipients", keys: ["ann"], contentType: "application/json")
    try await eventually("the recipient is known") { first.status.counters.decided == 1 }
    try await harness.publish([ProcessorHarness.event("1", recipients: "ann,bob")])
    try await eventually("the event is decided") { first.status.counters.total.accepted == 4 }
    try await first.stop()
    let before = first.status.counters
    try #require(before.total.open == 1)

    let second = try await harness.start()
    try await harness.publish([ProcessorHarness.event("1", recipients: "ann,bob")])
    try await eventually("the repeat is decided, and the window closed") {
      let counters = second.status.counters
      return counters.total.suppressed[.duplicate] == 4 && counters.total.open == 0
    }
    try await second.stop()
    #expect(second.status.counters.consumed > before.consumed)
    #expect(second.status.counters.difference == 0)
    #expect(try harness.deliveries(.inapp).count == 2)
    #expect(try harness.deliveries(.email).count == 1)
  }

  @Test("two processors share the partitions, and one takes over what the other leaves")
  func takeover() async throws {
    let harness = try ProcessorHarness(partitionCount: 4)
    let first = try await harness.start()
    let second = try await harness.start()
    try await eventually("both own two partitions") {
      first.status.runningPartitions == 2 && second.status.runningPartitions == 2
    }
    let names = (0..<40).map { "user\($0)" }
    try await harness.publish(names.map { ProcessorHarness.event("a-\($0)", recipients: $0) })
    try await eventually("all is delivered") { try harness.deliveries(.inapp).count == 40 }
    try await second.stop()
    try await eventually("the first owns all") { first.status.runningPartitions == 4 }
    try await harness.publish(names.map { ProcessorHarness.event("a-\($0)", recipients: $0) })
    try await harness.publish(names.map { ProcessorHarness.event("b-\($0)", recipients: $0) })
    try await eventually("all is delivered once") {
      first.status.counters.inapp.suppressed[.duplicate] == 40 && first.status.counters.inapp.delivered == 80
    }
    try await first.stop()
    #expect(try harness.deliveries(.inapp).count == 80)
  }

  @Test("a deployment without its topics does not start, and the error says what to do")
  func missingTopics() async throws {
    let harness = try ProcessorHarness()
    let running = ProcessorHarness.Running(harness) { $0.prefix = "absent" }
    let error = try #require(await running.failure())
    #expect("\(error)".contains("absent.events does not exist: run `tidings topics apply`"))
  }

  @Test("topics with another number of partitions than configured are an error")
  func wrongPartitionCount() async throws {
    let harness = try ProcessorHarness(partitionCount: 4)
    let running = ProcessorHarness.Running(harness) { $0.partitionCount = 8 }
    let error = try #require(await running.failure())
    #expect("\(error)".contains("has 4 partitions, the configuration says 8"))
  }
}
