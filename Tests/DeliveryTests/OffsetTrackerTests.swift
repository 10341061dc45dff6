import SeededTesting
import Testing

@testable import Delivery

@Suite("what is done in a partition")
struct OffsetTrackerTests {
  private func received(_ offsets: [Int64], committed: Int64? = nil) -> OffsetTracker {
    var tracker = OffsetTracker(committed: committed)
    for offset in offsets { _ = tracker.receive(offset, timestampMilliseconds: offset * 10) }
    return tracker
  }

  @Test("nothing is committed before anything is known")
  func unknown() {
    #expect(OffsetTracker(committed: nil).committable == nil)
    #expect(OffsetTracker(committed: 7).committable == 7)
  }

  @Test("only what has everything before it done is committed, whatever order it is done in")
  func prefix() {
    var tracker = received([5, 6, 7])
    tracker.complete(6)
    tracker.complete(7)
    #expect(tracker.committable == 5)
    #expect(tracker.completedAbove.ranges == [6...7])
    #expect(tracker.oldestIncompleteTimestampMilliseconds == 50)
    tracker.complete(5)
    #expect(tracker.committable == 8 && tracker.isComplete && tracker.completedAbove.isEmpty)
  }

  @Test("gaps of transaction markers neither hold a commit back nor split a range")
  func gaps() {
    var tracker = received([5, 8, 12])
    tracker.complete(8)
    tracker.complete(12)
    #expect(tracker.completedAbove.ranges == [8...12])
    tracker.complete(5)
    #expect(tracker.committable == 13)
  }

  @Test("the end of the partition is committed once everything before it is done")
  func endOfPartition() {
    var tracker = received([5])
    tracker.reachEnd(at: 9)
    #expect(tracker.committable == 5)
    tracker.complete(5)
    #expect(tracker.committable == 9)
    var empty = OffsetTracker(committed: nil)
    empty.reachEnd(at: 0)
    #expect(empty.committable == 0)
  }

  @Test("what was completed before a restart is not handled again, and stays noted until it is passed")
  func earlier() {
    var tracker = OffsetTracker(committed: 5, completed: CompletedOffsets([7...8, 20...30]))
    let isNew = [5, 6, 7, 8, 9].map { tracker.receive($0, timestampMilliseconds: 0) }
    #expect(isNew == [true, true, false, false, true])
    #expect(tracker.completedAbove.ranges == [7...8, 20...30])
    for offset in [5, 6, 9] as [Int64] { tracker.complete(offset) }
    #expect(tracker.committable == 10)
    #expect(tracker.completedAbove.ranges == [20...30])
  }

  @Test("completing twice, or what was never received, changes nothing")
  func foreignCompletions() {
    var tracker = received([5, 6])
    for offset in [4, 6, 6, 7, .max, .min] as [Int64] { tracker.complete(offset) }
    #expect(tracker.committable == 5 && tracker.incompleteCount == 1)
  }

  @Test("a log that begins anew further back is read from there")
  func startOver() {
    var tracker = received([100, 101])
    let isNew = tracker.receive(3, timestampMilliseconds: 0)
    #expect(isNew && tracker.committable == 3 && tracker.incompleteCount == 1)
    tracker.complete(101)
    tracker.complete(3)
    #expect(tracker.committable == 4)
  }

  @Test("over any run with crashes, each record is handled, and none again once its completion is committed")
  func property() throws {
    var random = SeededGenerator.printed()
    for _ in 0..<300 {
      // The log: offsets with gaps.
      var log: [Int64] = []
      var offset = Int64.random(in: 0...3, using: &random)
      for _ in 0..<Int.random(in: 1...60, using: &random) {
        log.append(offset)
        offset += Int64.random(in: 1...4, using: &random)
      }
      let end = offset
      var committed: (offset: Int64, metadata: String?)?
      var known: Set<Int64> = []
      var done: Set<Int64> = []
      // A number of lives, each ended by a crash; the last one runs to the end.
      for life in 0..<6 {
        let completed = committed.flatMap { commit in
          commit.metadata.flatMap { CompletedOffsets(metadata: $0, base: commit.offset) }
        }
        #expect(committed?.metadata == nil || completed != nil)
        var tracker = OffsetTracker(committed: committed?.offset, completed: completed ?? CompletedOffsets())
        // What was done after the last commit is forgotten with the crash.
        done = known
        var unread = log.filter { $0 >= committed?.offset ?? 0 }[...]
        var inFlight: [Int64] = []
        var steps = life == 5 ? Int.max : Int.random(in: 0...100, using: &random)
        while steps > 0, !(unread.isEmpty && inFlight.isEmpty) {
          steps -= 1
          if Bool.random(using: &random), let next = unread.popFirst() {
            let isNew = tracker.receive(next, timestampMilliseconds: 0)
            #expect(isNew != known.contains(next), "offset \(next) of \(log)")
            if isNew { inFlight.append(next) }
          } else if let index = inFlight.indices.randomElement(using: &random) {
            let finished = inFlight.remove(at: index)
            tracker.complete(finished)
            done.insert(finished)
          }
          if Int.random(in: 0..<5, using: &random) == 0, let offset = tracker.committable {
            #expect(offset >= committed?.offset ?? 0)
            #expect(log.allSatisfy { $0 >= offset || done.contains($0) })
            committed = (offset, tracker.completedAbove.metadata(base: offset).text)
            known = done
          }
        }
        if life == 5 {
          tracker.reachEnd(at: end + 2)
          #expect(tracker.committable == end + 2 && tracker.isComplete && tracker.completedAbove.isEmpty)
        }
      }
      #expect(done == Set(log))
    }
  }
}

@Suite("completed offsets in a commit's metadata")
struct CompletedOffsetsTests {
  @Test("what is written is read again")
  func roundTrip() {
    var random = SeededGenerator.printed()
    for _ in 0..<300 {
      let base = Int64.random(in: 0...(.max / 2), using: &random)
      var ranges: [ClosedRange<Int64>] = []
      var cursor = base
      for _ in 0..<Int.random(in: 1...50, using: &random) {
        let start = cursor + Int64.random(in: 1...1000, using: &random)
        let end = start + Int64.random(in: 0...100_000, using: &random)
        ranges.append(start...end)
        cursor = end + 1
      }
      let set = CompletedOffsets(ranges)
      let (text, omitted) = set.metadata(base: base)
      #expect(omitted == 0)
      #expect(text.flatMap { CompletedOffsets(metadata: $0, base: base) } == set)
    }
  }

  @Test("an empty set writes nothing")
  func empty() {
    #expect(CompletedOffsets().metadata(base: 5).text == nil)
    #expect(CompletedOffsets([1...3]).metadata(base: 5).text == nil)
  }

  @Test("what does not fit is left out from the top, and counted")
  func bounded() throws {
    let set = CompletedOffsets((0..<5000).map { Int64($0) * 1000...Int64($0) * 1000 + 300 })
    let (text, omitted) = set.metadata(base: 0)
    let metadata = try #require(text)
    #expect(metadata.utf8.count <= CompletedOffsets.metadataLimit && metadata.utf8.count > 3000)
    let kept = try #require(CompletedOffsets(metadata: metadata, base: 0))
    #expect(kept.ranges == Array(set.ranges.prefix(5000 - omitted)))
    #expect(omitted > 0 && omitted < 5000)
  }

  @Test(
    "what somebody else wrote is refused, and never a crash",
    arguments: [
      "", "x", "tidings1", "tidings1:!!", "tidings1:/w==", "tidings1:AQ==", "tidings1:gICAgICAgICAgAE=",
      "tidings2:AQE=",
      "tidings1:////////////////////////", "tidings1:" + String(repeating: "A", count: 4000),
    ])
  func foreign(_ text: String) {
    #expect(CompletedOffsets(metadata: text, base: 100) == nil)
  }

  @Test("damaged metadata is refused or read as some set, and never a crash")
  func damaged() {
    var random = SeededGenerator.printed()
    let valid = Array(
      (CompletedOffsets([5...9, 300...70_000, 1 << 40...1 << 41]).metadata(base: 0).text ?? "").utf8)
    for _ in 0..<5000 {
      var bytes = valid
      bytes[Int.random(in: 9..<bytes.count, using: &random)] = UInt8.random(in: 33...126, using: &random)
      let base = ([0, 1, .max - 5, .max] as [Int64]).randomElement(using: &random) ?? 0
      if let set = CompletedOffsets(metadata: String(decoding: bytes, as: UTF8.self), base: base) {
        #expect(set.ranges.allSatisfy { $0.lowerBound >= base })
      }
    }
  }

  @Test("ranges that touch or overlap are one")
  func joined() {
    #expect(CompletedOffsets([5...6, 1...2, 3...3, 6...9, 11...11]).ranges == [1...3, 5...9, 11...11])
  }
}
