import Testing

@testable import Processor

struct CommitDivisionTests {
  /// Commits of sixteen partitions, of which each takes what the model says.
  ///
  /// - Returns: the share of the last hundred that took half of them.
  private func dividedShare(
    _ division: inout CommitDivision, commits: Int = 400, time: (_ taken: Int) -> Int64
  ) -> Double {
    var divided = 0
    for number in 0..<commits {
      let deferred = division.dividesNext(apart: 20) ? 8 : 0
      if deferred > 0, number >= commits - 100 { divided += 1 }
      division.confirmed(after: time(16 - deferred), taken: 16 - deferred, deferred: deferred)
    }
    return Double(divided) / 100
  }

  @Test("halves are taken where they take about half of the time, and one commit of 32 is whole")
  func proportional() {
    var division = CommitDivision(trialDistance: 32)
    #expect((0.95...0.97).contains(dividedShare(&division) { 5 + 2 * Int64($0) }))
  }

  @Test("all are taken where half of them take as long, and one commit of 32 tries")
  func constant() {
    var division = CommitDivision(trialDistance: 32)
    #expect((0.03...0.05).contains(dividedShare(&division) { _ in 80 }))
  }

  @Test("what brokers take may change, there and back")
  func changing() {
    var division = CommitDivision(trialDistance: 32)
    #expect(dividedShare(&division) { 3 * Int64($0) } > 0.9)
    #expect(dividedShare(&division) { 100 + Int64($0) } < 0.1)
    #expect(dividedShare(&division) { 3 * Int64($0) } > 0.9)
  }

  @Test("quick commits are never divided, and no more once they are quick")
  func quick() {
    var division = CommitDivision(trialDistance: 32)
    #expect(dividedShare(&division) { Int64($0) } == 0)
    #expect(dividedShare(&division) { 3 * Int64($0) } > 0.9)
    #expect(dividedShare(&division, commits: 800) { Int64($0) } == 0)
  }

  @Test("between what is worth it and what is not, it stays as it is")
  func hysteresis() {
    var division = CommitDivision(trialDistance: 32)
    let between: (Int) -> Int64 = { $0 == 16 ? 100 : 72 }
    #expect(dividedShare(&division, time: between) < 0.1)
    #expect(dividedShare(&division) { $0 == 16 ? 100 : 50 } > 0.9)
    #expect(dividedShare(&division, time: between) > 0.9)
  }

  @Test("a commit that leaves out a few partitions tells nothing")
  func few() {
    var division = CommitDivision(trialDistance: 32)
    for _ in 0..<100 {
      _ = division.dividesNext(apart: 20)
      division.confirmed(after: 100, taken: 16, deferred: 0)
      division.confirmed(after: 10, taken: 14, deferred: 2)
    }
    #expect(dividedShare(&division) { _ in 100 } < 0.1)
  }
}
