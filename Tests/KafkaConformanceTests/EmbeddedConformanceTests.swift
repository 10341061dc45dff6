import Kafka
import KafkaConformance
import Logging
import Testing

@Suite("What Tidings relies on, of the embedded cluster")
struct EmbeddedConformanceTests {
  /// What librdkafka's mock cluster does otherwise, by behaviour, each with the reason.
  static let knownDifferences: [String: String] = [
    "topic-settings": noSettings, "topic-setting-refused": noSettings, "append-time": noSettings,
    "delete-records": noDeletion, "delete-behind-end": noDeletion,
    "end-behind-markers": noMarkers, "isolation": noMarkers, "commit-driven": noMarkers,
    "watermarks": noIsolation, "stable-offset": noIsolation, "interleaved": noIsolation,
    "abort-hides": noIsolation,
    "crash-before-commit": noIsolation, "timed-out": noIsolation,
    "offsets-unstable": noOffsets, "offsets-only": noOffsets, "offsets-repeated": noOffsets,
    "offsets-in-background": noOffsets, "transaction-in-revoke": noOffsets, "unknown-outcome": noOffsets,
    "fenced-by-successor": noFencing, "fenced-at-begin": noFencing, "fenced-offsets": noFencing,
    "stale-generation": noFencing, "unknown-member": noFencing, "fenced-instance": noFencing,
    "static-fenced": noStaticMembers, "static-restart": noStaticMembers,
    "missing-topic": "it creates a topic when a client asks for it by name",
    "commit-in-revoke": "it refuses commits while members join",
    "committed-order": "it answers the offsets of a group only to members",
    "group-members": "it describes no groups",
    "offsets-since": "it knows no times of records",
  ]

  /// What is not asked of it, each with the reason.
  static let notAsked: [String: String] = [
    "close-leaves": "how long its rebalances take is a matter of timers of its own"
  ]

  private static let noSettings = "it knows no settings of topics"
  private static let noDeletion = "it deletes no records"
  private static let noMarkers = "it writes no markers of transactions"
  private static let noIsolation = "it shows open and aborted records"
  private static let noOffsets = "it forgets the offsets that transactions commit"
  private static let noFencing = "it fences nobody"
  private static let noStaticMembers = "it takes a static member that comes back for another one"

  @Test("each is so, or the difference is known and still there", .timeLimit(.minutes(5)))
  func behaves() async throws {
    let results = await checkAll(lanes: 8, without: Set(Self.notAsked.keys)) {
      let logger = Logger(label: "conformance") { _ in SwiftLogNoOpLogHandler() }
      return RealTimePlatform(try EmbeddedCluster(logger: logger), patience: .seconds(5))
    }
    for (behaviour, failure) in results {
      if let reason = Self.notAsked[behaviour.id] {
        print("not asked: \(behaviour.statement): \(reason)")
        continue
      }
      switch (Self.knownDifferences[behaviour.id], failure) {
      case (nil, nil): continue
      case (nil, let failure?): Issue.record("\(behaviour.id): \(behaviour.statement): \(failure)")
      case (let reason?, _?): print("known difference: \(behaviour.statement): \(reason)")
      case (let reason?, nil):
        Issue.record("\(behaviour.id) is so after all: the entry “\(reason)” is stale")
      }
    }
  }

  @Test("every known difference is about a behaviour that there is")
  func noStaleEntry() {
    let known = Set(Behaviour.all.map(\.id))
    #expect(known.count == Behaviour.all.count, "ids are unique")
    #expect(Set(Self.knownDifferences.keys).union(Self.notAsked.keys).subtracting(known).isEmpty)
  }
}
