import Contract

/// The load that processors are measured with: which event comes next, of which type, for whom.
///
/// 200,000 recipients, of whom few get much (Zipf, exponent 1.05); the four types of ``LoadCatalog/shares``; and one
/// event in ten is one of the last thousand of its partition once more, as a publisher repeats it that had no answer.
struct EventLoad {
  /// One event to publish.
  struct Event {
    /// Makes its id; a repeat has the number of the first time.
    var number: Int
    /// The index of its type in ``LoadCatalog/shares``.
    var type: Int
    /// The number of its recipient.
    var recipient: Int
    /// The recipient's home.
    var partition: Int
  }

  static let recipientCount = 200_000
  private static let recallLength = 1_000

  /// The home of each recipient.
  let homes: [Int32]
  /// How many events of a hundred are repeats.
  private let repeatPercent: Int
  /// The only type that is drawn; nil for all by their shares.
  private let onlyType: Int?
  private let distribution: ZipfDistribution
  private var random: SeededRandom
  /// By partition, in a ring.
  private var recent: [[Event]]
  private var places: [Int]
  private var nextNumber = 0

  /// - Parameters:
  ///   - recipientCount: from how many recipients is drawn.
  ///   - onlyType: the index of the one type to draw; nil for all.
  ///   - repeatPercent: from 0 to 100.
  init(
    seed: UInt64, partitionCount: Int, recipientCount: Int = recipientCount, onlyType: Int? = nil,
    repeatPercent: Int = 10
  ) {
    distribution = ZipfDistribution(count: recipientCount, exponent: 1.05)
    self.onlyType = onlyType
    self.repeatPercent = repeatPercent
    random = SeededRandom(seed: seed)
    var scratch = OutputBuffer(capacity: 64)
    let count = Int32(clamping: partitionCount)
    homes = (0..<recipientCount).map {
      EventRecord.home(ofRecipient: $0, partitionCount: count, scratch: &scratch)
    }
    recent = Array(repeating: [], count: partitionCount)
    places = Array(repeating: 0, count: partitionCount)
  }

  /// Draws the next event.
  mutating func next() -> Event {
    let recipient = distribution.next(using: &random)
    let partition = Int(homes[recipient])
    let isRepeat = random.next(upTo: 100) <= repeatPercent
    let seen = recent[partition].count
    if isRepeat, seen > 0 { return recent[partition][random.next(upTo: seen) - 1] }
    let event = Event(number: nextNumber, type: nextType(), recipient: recipient, partition: partition)
    if seen < Self.recallLength {
      recent[partition].append(event)
    } else {
      recent[partition][places[partition]] = event
      places[partition] = (places[partition] + 1) % Self.recallLength
    }
    nextNumber += 1
    return event
  }

  private mutating func nextType() -> Int {
    if let onlyType { return onlyType }
    var rest = random.next(upTo: 100)
    for (index, share) in LoadCatalog.shares.enumerated() {
      rest -= share.percent
      if rest <= 0 { return index }
    }
    return 0
  }
}
