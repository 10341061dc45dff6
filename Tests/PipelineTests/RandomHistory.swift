import SeededTesting

@testable import Pipeline

/// A random history: events, repeats, recipients' records, time that goes on.
struct RandomHistory {
  var generator: SeededGenerator
  var now = Fixture.start
  var sent = 0

  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  mutating func next() -> TestRecord {
    now += Int64.random(in: 0..<400, using: &generator)
    let name = "user\(Int.random(in: 0..<12, using: &generator))"
    switch Int.random(in: 0..<20, using: &generator) {
    case 0:
      return .recipient(name, "{\"email\":\"\(name)@example.org\"}", appended: now)
    case 1:
      return .recipient(name, nil, appended: now)
    case 2:
      return TestRecord(value: "broken", appended: now)
    case 3...5 where sent > 0:
      let id = Int.random(in: 0..<sent, using: &generator)
      return .event(id: "\(id)", recipients: "user\(id % 12)", appended: now)
    default:
      sent += 1
      let type = Bool.random(using: &generator) ? "card.moved" : "card.due"
      return .event(id: "\(sent)", type: type, recipients: "user\(sent % 12)", appended: now)
    }
  }
}
