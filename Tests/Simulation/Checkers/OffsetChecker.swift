/// Invariant 5: committed offsets never go back, and equal what the state's header says. A transaction carries the
/// position of every partition that its worker owns, also where nothing happened; and state records follow one another
/// without a hole.
struct OffsetChecker {
  private var committed: [String: Int64] = [:]
  /// By home: when a state record was committed last.
  private var recorded: [Int: Int64] = [:]

  /// - Parameter latest: the last committed header of each home, this transaction's included.
  mutating func check(
    _ transaction: CommittedTransaction, homes: [HomeCommit], latest: [StateHeader?]
  ) throws(Violation) {
    for commit in homes {
      let header = commit.header
      try require(
        header.partition == commit.home, .offsets, "\(commit.place): the record is of \(header.partition)")
      let expected = (commit.before?.sequence ?? 0) + 1
      try require(
        header.sequence == expected, .offsets,
        "\(commit.place): state record \(header.sequence) follows \(expected - 1)")
      try require(
        header.isGenesis == (commit.before == nil), .offsets,
        "\(commit.place): \(header.isGenesis ? "a second beginning" : "no beginning")")
      if let before = commit.before {
        try require(header.epoch == before.epoch, .offsets, "\(commit.place): the epoch changed")
        for topic in InputFacts.Topic.allCases {
          let (old, new) = (before.positions[topic.rawValue], header.positions[topic.rawValue])
          try require(
            new >= old, .offsets,
            "\(commit.place): the position of \(topic.name) goes back from \(old) to \(new)")
        }
        try require(
          header.timerClock >= before.timerClock, .windows,
          "\(commit.place): the timer clock goes back from \(before.timerClock) to \(header.timerClock)")
        try require(
          header.inputClock >= before.inputClock, .offsets,
          "\(commit.place): the input clock goes back from \(before.inputClock) to \(header.inputClock)")
      }
    }
    try checkGroup(transaction, latest: latest)
    for commit in homes {
      let topics = transaction.offsets.filter { $0.partition == commit.home }
      try require(
        topics.count == InputFacts.Topic.allCases.count, .offsets,
        "\(commit.place): the transaction carries \(topics.count) offsets of the home")
    }
  }

  /// A transaction carries the positions of all homes that its worker decided when it began it, also of those where
  /// nothing happened: otherwise a zombie that owns them would not be fenced.
  mutating func checkOwned(_ commit: HomeCommit, decided: Set<Int>) throws(Violation) {
    recorded[commit.home] = commit.time
    for home in decided.sorted() {
      let count = commit.transaction.offsets.count { $0.partition == home }
      try require(
        count == InputFacts.Topic.allCases.count, .offsets,
        "\(commit.place): the transaction carries \(count) offsets of home \(home), which its worker decides as well"
      )
    }
  }

  /// Idle homes write state and offsets often enough that nothing of theirs expires.
  func checkIdle(now: Int64, interval: Int64, service: ServiceTracker) throws(Violation) {
    for (home, time) in recorded.sorted(by: { $0.key < $1.key }) {
      let due = max(time, service.since(home)) + interval
      guard let bound = service.lateFrom(home, due: due) else { continue }
      try require(
        now <= bound + 1_000, .offsets,
        "home \(home): no state record since \(now - time) ms, with a heartbeat every \(interval) ms")
    }
  }

  private mutating func checkGroup(
    _ transaction: CommittedTransaction, latest: [StateHeader?]
  ) throws(Violation) {
    for (name, partition, offset) in transaction.offsets {
      guard let topic = InputFacts.Topic.allCases.first(where: { $0.name == name }) else {
        throw Violation(.offsets, "\(transaction.transactionalID) commits an offset of \(name)")
      }
      guard let header = latest[partition] else {
        throw Violation(
          .offsets, "\(name) [\(partition)]: the group stands at \(offset), but the home has no state record")
      }
      let position = header.positions[topic.rawValue]
      try require(
        position == offset, .offsets,
        "\(name) [\(partition)]: the group stands at \(offset), state record \(header.sequence) at \(position)"
      )
      let key = "\(name)-\(partition)"
      let before = committed[key] ?? 0
      try require(
        offset >= before, .offsets, "\(name) [\(partition)]: the group goes back from \(before) to \(offset)")
      committed[key] = offset
    }
    if !transaction.records.isEmpty {
      try require(
        !transaction.offsets.isEmpty, .offsets,
        "\(transaction.transactionalID): a transaction with \(transaction.records.count) records and no offset"
      )
    }
  }
}
