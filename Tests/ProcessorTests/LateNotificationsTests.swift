import Testing

@testable import Processor

@Suite("Late notifications") struct LateNotificationsTests {
  @Test("an episode begins with the first, and is over when for a minute there were none")
  func episode() {
    var late = LateNotifications()
    let commits: [(added: Int64, at: Int64)] = [(0, 1_000), (3, 2_000), (4, 30_000), (0, 80_000)]
    var begins: [Bool] = []
    for commit in commits { begins.append(late.take(commit.added, at: commit.at)) }
    #expect(begins == [false, true, false, false])
    // A commit without any does not make it longer.
    var ends: [LateNotifications.Episode?] = []
    for now in [89_999, 90_000, 90_001] as [Int64] { ends.append(late.finished(at: now)) }
    #expect(ends == [nil, LateNotifications.Episode(notifications: 7, length: 28_000), nil])
  }

  @Test("after one episode the next one counts anew")
  func next() {
    var late = LateNotifications()
    _ = late.take(3, at: 0)
    _ = late.finished(at: 60_000)
    let begins = late.take(1, at: 60_001)
    let end = late.finished(at: 120_001)
    #expect(begins)
    #expect(end == LateNotifications.Episode(notifications: 1, length: 0))
  }
}
