import Contract
import Kafka
import Testing

@testable import SimulatedKafka
@testable import Simulation

/// Each checker is seen to fail: a run that holds is shown to the checkers with one thing changed in its log.
struct CheckerTests {
  typealias Doctor = (inout CommittedTransaction, inout [HomeCommit]) -> Bool

  /// The violation that seeds give when the first commit that can be doctored is.
  private func violation(_ doctor: @escaping Doctor) throws -> Violation? {
    for seed in UInt64(1)...40 {
      let run = try SimulationRun(try Scenario(seed: seed), isTraced: false)
      var isDone = false
      run.doctor = { transaction, homes in
        if !isDone { isDone = doctor(&transaction, &homes) }
      }
      try run.run()
      if isDone { return run.violation }
    }
    Issue.record("no seed has a commit that this can be done to")
    return nil
  }

  /// Doctors the first home's commit for which `change` says that it did something.
  private func violation(inHome change: @escaping (inout HomeCommit) -> Bool) throws -> Violation? {
    try violation { _, homes in
      for index in homes.indices where change(&homes[index]) { return true }
      return false
    }
  }

  // MARK: - 1

  @Test("a counter that counts one too many breaks the conservation law")
  func counter() throws {
    let found = try violation { commit in
      commit.header.counts.email.delivered += 1
      return true
    }
    #expect(found?.invariant == .conservation)
  }

  @Test("counters that agree with each other, but not with the records, break the conservation law")
  func counters() throws {
    let found = try violation { commit in
      commit.header.counts.consumed += 1
      commit.header.counts.tombstones += 1
      return true
    }
    #expect(found?.invariant == .conservation)
  }

  // MARK: - 2 and 7

  @Test("a record that is consumed and not decided is noticed")
  func lost() throws {
    let found = try violation { commit in
      guard case .arrival? = commit.decisions.last?.kind else { return false }
      commit.decisions.removeLast()
      return true
    }
    #expect(found?.invariant == .onceOnly)
  }

  @Test("a record that is decided twice is noticed")
  func decidedTwice() throws {
    let found = try violation { commit in
      guard var last = commit.decisions.last, case .arrival = last.kind else { return false }
      last.number += 1
      commit.decisions.append(last)
      return true
    }
    #expect(found?.invariant == .abort)
  }

  @Test("a second copy of a delivery is noticed")
  func deliveredTwice() throws {
    let found = try violation { commit in
      guard let single = commit.deliveries.first(where: { $0.delivery.kind == .single }) else { return false }
      commit.deliveries.append(single)
      return true
    }
    #expect(found?.invariant == .abort)
  }

  @Test("a delivery that is decided and missing is noticed")
  func deliveryMissing() throws {
    let found = try violation { commit in
      guard let index = commit.deliveries.firstIndex(where: { $0.delivery.kind == .single }) else {
        return false
      }
      commit.deliveries.remove(at: index)
      return true
    }
    #expect(found?.invariant == .onceOnly)
  }

  @Test("a duplicate that counts as new is noticed")
  func duplicate() throws {
    let found = try violation { commit in
      for index in commit.decisions.indices {
        guard case .arrival(var arrival) = commit.decisions[index].kind, arrival.isDuplicate else { continue }
        arrival.isDuplicate = false
        commit.decisions[index].kind = .arrival(arrival)
        return true
      }
      return false
    }
    #expect(found?.invariant == .onceOnly)
  }

  @Test("a broken record that is not in the rejected topic is noticed")
  func rejected() throws {
    let found = try violation { commit in
      guard !commit.rejected.isEmpty else { return false }
      commit.rejected.removeLast()
      return true
    }
    #expect(found?.invariant == .onceOnly)
  }

  @Test("a forward that is missing, and one too many, are noticed")
  func forwards() throws {
    let missing = try violation { commit in
      guard !commit.routed.isEmpty else { return false }
      commit.routed.removeLast()
      return true
    }
    #expect(missing?.invariant == .onceOnly)
    let extra = try violation { commit in
      guard let last = commit.routed.last else { return false }
      commit.routed.append(last)
      return true
    }
    #expect(extra?.invariant == .abort)
  }

  @Test(
    "a forward that says otherwise than its origin is noticed",
    arguments: [
      "ce_source", "ce_type", "ce_actor", "ce_subject", "ce_category", "ce_priority", "ce_expirytime",
      "ce_time",
      "ce_collapsekey", "ce_retracts",
    ])
  func forwardHeader(name: String) throws {
    let found = try violation { transaction, _ in
      transaction.records.change(topic: "routed") { $0.changing(name) }
    }
    #expect(found?.detail.contains("its origin") == true, "\(String(describing: found))")
  }

  @Test("a forward with other data than its origin is noticed")
  func forwardData() throws {
    let found = try violation { transaction, _ in
      transaction.records.change(topic: "routed") { $0.with(value: Array(#"{"n":77}"#.utf8)) }
    }
    #expect(found?.detail.contains("its origin") == true, "\(String(describing: found))")
  }

  @Test(
    "a delivery that says otherwise than the event and its type is noticed",
    arguments: [
      { $0.category = "another" }, { $0.type = "another" }, { $0.title = "another" },
      { $0.priority = $0.priority == .normal ? .critical : .normal }, { $0.items[0].source = "/another" },
      { $0.items[0].type = "another" }, { $0.items[0].actor = "another" },
      { $0.items[0].subject = "another" },
      { $0.items[0].time = "2001-01-01T00:00:00Z" }, { $0.items[0].acceptedAtMilliseconds += 1 },
      { $0.items[0].data = .object(["n": .number("77")]) },
    ] as [@Sendable (inout Delivery) -> Void], [DeliveryKind.single, .digest])
  func content(change: @escaping @Sendable (inout Delivery) -> Void, kind: DeliveryKind) throws {
    let found = try violation { commit in
      guard
        let index = commit.deliveries.firstIndex(where: {
          $0.delivery.kind == kind && !$0.delivery.items.isEmpty
        })
      else { return false }
      change(&commit.deliveries[index].delivery)
      return true
    }
    #expect([.onceOnly, .windows].contains(found?.invariant), "\(String(describing: found))")
  }

  // MARK: - 3 and 4

  private static func closure(of commit: HomeCommit) -> Int? {
    commit.decisions.firstIndex {
      if case .closure(let closure) = $0.kind { closure.delivery != nil } else { false }
    }
  }

  private static func hasArrival(_ commit: HomeCommit) -> Bool {
    commit.decisions.contains { if case .arrival = $0.kind { true } else { false } }
  }

  @Test("a digest before its window is due is noticed")
  func early() throws {
    let byTimers = try violation { commit in
      for index in commit.decisions.indices.dropFirst() {
        guard case .closure(let closure) = commit.decisions[index].kind,
          let digest = commit.deliveries.first(where: { $0.delivery.id == closure.delivery })?.delivery,
          let due = digest.window?.dueMilliseconds, commit.decisions[index - 1].time < due
        else { continue }
        // As early as the order of the decisions allows.
        commit.decisions[index].time = commit.decisions[index - 1].time
        return true
      }
      return false
    }
    #expect(byTimers?.invariant == .windows)
    #expect(byTimers?.detail.contains("by the timer clock, due at") == true)
    let byTheWorld = try violation { commit in
      guard Self.closure(of: commit) != nil else { return false }
      commit.transaction.time -= 60_000
      return true
    }
    #expect(byTheWorld?.invariant == .windows)
    #expect(byTheWorld?.detail.contains("closes at") == true)
  }

  @Test("a digest that comes late is noticed")
  func late() throws {
    let found = try violation { commit in
      guard Self.closure(of: commit) != nil, !Self.hasArrival(commit) else { return false }
      commit.transaction.time += 3_600_000
      return true
    }
    #expect(found?.invariant == .windows)
  }

  @Test("a window that closes twice, and a second digest of it, are noticed")
  func twice() throws {
    let closed = try violation { commit in
      guard let index = Self.closure(of: commit) else { return false }
      var again = commit.decisions[index]
      again.number += 1
      for later in (index + 1)..<commit.decisions.count { commit.decisions[later].number += 1 }
      commit.decisions.insert(again, at: index + 1)
      return true
    }
    #expect(closed?.invariant == .windows)
    let sent = try violation { commit in
      guard let digest = commit.deliveries.first(where: { $0.delivery.kind == .digest }) else { return false }
      commit.deliveries.append(digest)
      return true
    }
    #expect(sent?.invariant == .windows)
  }

  @Test("members in another order are noticed")
  func order() throws {
    let found = try violation { commit in
      for index in commit.decisions.indices {
        guard case .closure(var closure) = commit.decisions[index].kind, closure.members.count > 1,
          closure.members.first != closure.members.last
        else { continue }
        closure.members.reverse()
        commit.decisions[index].kind = .closure(closure)
        return true
      }
      return false
    }
    #expect(found?.invariant == .order)
  }

  @Test("items in another order are noticed")
  func items() throws {
    let found = try violation { commit in
      for index in commit.deliveries.indices
      where commit.deliveries[index].delivery.items.first?.id
        != commit.deliveries[index].delivery.items.last?.id
      {
        commit.deliveries[index].delivery.items.reverse()
        return true
      }
      return false
    }
    #expect(found?.invariant == .order)
  }

  // MARK: - 5 and 6

  @Test("offsets that disagree with the header, and a hole in the log, are noticed")
  func offsets() throws {
    let offset = try violation { transaction, _ in
      guard !transaction.offsets.isEmpty else { return false }
      transaction.offsets[0].offset -= 1
      return true
    }
    #expect(offset?.invariant == .offsets)
    let none = try violation { transaction, homes in
      guard !homes.isEmpty else { return false }
      transaction.offsets = []
      return true
    }
    #expect(none?.invariant == .offsets)
    let hole = try violation { commit in
      commit.header.sequence += 1
      return true
    }
    #expect(hole?.invariant == .offsets)
  }

  @Test("a state record that the replay does not write is noticed")
  func replay() throws {
    let found = try violation { commit in
      guard !commit.header.changes.isEmpty else { return false }
      commit.header.changes[commit.header.changes.count - 1] ^= 1
      return true
    }
    #expect(found?.invariant == .restore)
  }

  @Test("headers, a key or a value that the replay does not send are noticed")
  func replayedOutput() throws {
    let changes: [(StoredRecord) -> StoredRecord?] = [
      { $0.changing("content-type") }, { $0.changing("tidings-origin-offset") },
      { $0.with(value: Array("{}".utf8)) },
    ]
    for change in changes {
      let found = try violation { commit in
        for index in commit.output.indices {
          guard let record = change(commit.output[index].record) else { continue }
          commit.output[index].record = record
          return true
        }
        return false
      }
      #expect(found?.invariant == .restore, "\(String(describing: found))")
    }
  }

  // MARK: - 8, 9 and 10

  @Test("a writer that does not own the partition, or is giving it back, is noticed")
  func writer() throws {
    var checker = WriterChecker()
    try checker.assigned([0], worker: 1)
    try checker.sealed(worker: 1, home: 0)
    #expect(throws: Violation.self) { try checker.sealed(worker: 1, home: 1) }
    checker.revoked(worker: 1)
    #expect(throws: Violation.self) { try checker.assigned([0], worker: 1) }
    try checker.assigned([0], worker: 2)
    checker.revoking(worker: 2)
    #expect(throws: Violation.self) { try checker.sealed(worker: 2, home: 0) }
  }

  @Test("a delivery that names another catalog or another record of the recipient is noticed")
  func provenance() throws {
    let catalog = try violation { commit in
      guard !commit.deliveries.isEmpty else { return false }
      commit.deliveries[0].delivery.catalog = "0000000000000000"
      return true
    }
    #expect(catalog?.invariant == .provenance)
    let record = try violation { commit in
      guard !commit.deliveries.isEmpty else { return false }
      commit.deliveries[0].delivery.recipientRecord = 1_000_000
      return true
    }
    #expect(record?.invariant == .provenance)
  }

  @Test("a state record beyond its bound is noticed")
  func bounds() throws {
    let found = try violation { commit in
      commit.header.byteCount = 9 << 20
      return true
    }
    #expect(found?.invariant == .bounds)
  }

  @Test("an event that is decided long after it came is noticed")
  func overdueArrival() throws {
    let found = try violation { commit in
      guard Self.hasArrival(commit), Self.closure(of: commit) == nil else { return false }
      commit.transaction.time += 3_600_000
      return true
    }
    #expect(found?.invariant == .bounds)
    #expect(found?.detail.contains("by a worker that lives") == true, "\(String(describing: found))")
  }

  @Test("input that nobody consumes is noticed in the end")
  func liveness() throws {
    var scenario = try Scenario(seed: 1)
    scenario.instances = 0
    scenario.faults.kinds = []
    let run = try SimulationRun(scenario, isTraced: false)
    try run.run()
    #expect(run.violation?.invariant == .bounds)
  }
}

extension StoredRecord {
  private func copy(_ change: (inout [UInt8]?, inout [ProducerRecord.Header]) -> Void) -> StoredRecord? {
    var value = value.map { Array($0.buffer) }
    var headers = headers.map { ProducerRecord.Header($0.name.string, $0.value?.string ?? "") }
    change(&value, &headers)
    let record = ProducerRecord(
      topicIndex: 0, key: key.map { Array($0.buffer) }, value: value, headers: headers)
    return try? record.withViews { (views) throws(KafkaError) in StoredRecord(views) }
  }

  /// A copy in which a header has another value, a sound one; nil where there is none of that name.
  fileprivate func changing(_ name: String) -> StoredRecord? {
    guard let index = headers.firstIndex(where: { $0.name.string == name }) else { return nil }
    let text = name.hasSuffix("time") ? "2001-01-01T00:00:00Z" : name == "ce_priority" ? "normal" : "another"
    return copy { $1[index] = ProducerRecord.Header(name, text) }
  }

  /// A copy with another value.
  fileprivate func with(value: [UInt8]) -> StoredRecord? { copy { bytes, _ in bytes = value } }
}

extension [CommittedRecord] {
  /// Changes the first record of a topic of which `change` makes another one; whether there was one.
  fileprivate mutating func change(topic: String, _ change: (StoredRecord) -> StoredRecord?) -> Bool {
    for index in indices where self[index].topic == topic {
      guard let record = change(self[index].record) else { continue }
      self[index].record = record
      return true
    }
    return false
  }
}
