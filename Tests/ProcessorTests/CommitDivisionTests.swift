import SeededTesting
import Testing

@testable import Processor

struct CommitDivisionTests {
  /// Commits of which each takes what the model says, and how many of the last hundred took half of the partitions.
  private func divided(
    _ division: inout CommitDivision, commits: Int = 400, waiting: Int = 16, time: (_ taken: Int) -> Int64
  ) -> Int {
    var divided = 0
    for number in 0..<commits {
      let isHalf = division.dividesNext(waiting: waiting, apart: 20)
      if isHalf, number >= commits - 100 { divided += 1 }
      let taken = isHalf ? waiting - waiting / 2 : waiting
      division.confirmed(after: time(taken), taken: taken)
    }
    return divided
  }

  @Test("halves are taken where they take about half of the time, but for one commit of 25, which is whole")
  func proportional() {
    var division = CommitDivision(trialDistance: 25)
    #expect(divided(&division) { 5 + 2 * Int64($0) } == 96)
  }

  @Test("all are taken where half of them take as long, but for one commit of 25, which tries")
  func constant() {
    var division = CommitDivision(trialDistance: 25)
    #expect(divided(&division) { _ in 80 } == 4)
  }

  @Test("however long a commit takes, halves are taken where they are worth it")
  func slow() {
    var division = CommitDivision(trialDistance: 25)
    #expect(divided(&division) { 40 * Int64($0) } == 96)
  }

  @Test("what brokers take may change, there and back")
  func changing() {
    var division = CommitDivision(trialDistance: 25)
    #expect(divided(&division) { 3 * Int64($0) } > 90)
    #expect(divided(&division) { 100 + Int64($0) } < 10)
    #expect(divided(&division) { 3 * Int64($0) } > 90)
  }

  @Test("quick commits are never divided, and no more once they are quick")
  func quick() {
    var division = CommitDivision(trialDistance: 25)
    #expect(divided(&division) { Int64($0) } == 0)
    #expect(divided(&division) { 3 * Int64($0) } > 90)
    #expect(divided(&division) { Int64($0) } == 0)
  }

  @Test("between what is worth it and what is not, it stays as it is")
  func hysteresis() {
    var division = CommitDivision(trialDistance: 25)
    let between: (Int) -> Int64 = { 33 + 4 * Int64($0) }
    #expect(divided(&division, time: between) < 10)
    #expect(divided(&division) { 10 + 5 * Int64($0) } > 90)
    #expect(divided(&division, time: between) > 90)
  }

  @Test("one that is held up does not change it")
  func outlier() {
    var division = CommitDivision(trialDistance: 25)
    #expect(divided(&division) { 5 + 2 * Int64($0) } == 96)
    division.confirmed(after: 5_000, taken: 8)
    #expect(divided(&division, commits: 100) { 5 + 2 * Int64($0) } == 96)
  }

  @Test("partitions that have work may be now many and now few", arguments: 1...10 as ClosedRange<UInt64>)
  func varying(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var division = CommitDivision(trialDistance: 25)
    var (right, all) = (0, 0)
    for number in 0..<2_000 {
      let waiting = Int.random(in: 5...32, using: &random)
      let isHalf = division.dividesNext(waiting: waiting, apart: 20)
      let taken = isHalf ? waiting - waiting / 2 : waiting
      let time = Double(5 + 2 * taken) * Double.random(in: 0.7...1.3, using: &random)
      division.confirmed(after: Int64(time), taken: taken)
      // Those of which all take about 25 ms may be on either side.
      guard number >= 100, !(9...11).contains(waiting) else { continue }
      all += 1
      if isHalf == (waiting > 10) { right += 1 }
    }
    #expect(right * 10 > all * 9, "seed \(seed): \(right) of \(all)")
  }
}
