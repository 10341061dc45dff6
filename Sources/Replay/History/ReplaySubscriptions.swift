import Contract

/// Who follows which audience when the history begins.
public final class ReplaySubscriptions {
  struct Part {
    var key: ByteStore.Extent
    /// nil removes.
    var value: ByteStore.Extent?
    /// The audience's key.
    var audience: ByteStore.Extent
  }

  /// Lines that break the contract, by reason.
  public let rejected: [RejectedLines]

  let parts: [Part]
  /// The keys of all who are in a part, each once.
  let followers: [ByteStore.Extent]
  let bytes: ByteStore

  init(rejected: [RejectedLines], parts: [Part], followers: [ByteStore.Extent], bytes: ByteStore) {
    self.rejected = rejected
    self.parts = parts
    self.followers = followers
    self.bytes = bytes
  }
}

/// Reads lines of subscriptions, as `tidings publish subscriptions` takes them. Confined to its thread.
public struct SubscriptionsBuilder: ~Copyable {
  private var reader: SubscriptionLineReader
  private let bytes = ByteStore()
  private var parts: [ReplaySubscriptions.Part] = []
  private var followers: [ByteStore.Extent] = []
  private var known: Set<Hash128> = []
  private var key = OutputBuffer(capacity: 256)
  private var rejections = RejectionTally()

  /// A builder without subscriptions.
  ///
  /// - Parameter recordLimit: the largest record in bytes.
  /// - Throws: `JSONError` when there is no memory.
  public init(recordLimit: Int = EventLimits().maxRecordBytes) throws(JSONError) {
    reader = try SubscriptionLineReader(maxBytes: recordLimit)
  }

  /// Takes a line, or counts why it cannot be taken.
  ///
  /// - Parameters: as of `HistoryBuilder.add`.
  public mutating func add(_ line: ByteView, isCut: Bool = false, number: Int) {
    do throws(Rejection) {
      if isCut { throw Rejection(.recordTooLarge, "The line has more than \(line.count) bytes.") }
      let part = try reader.read(line)
      parts.append(
        ReplaySubscriptions.Part(
          key: bytes.append(part.record.key ?? .empty), value: part.record.value.map { bytes.append($0) },
          audience: bytes.append(part.audienceKey)))
      for recipient in part.recipients {
        key.removeAll()
        RecipientKey.append(tenant: part.tenant, recipient: recipient, to: &key)
        if known.insert(Hash128(of: key.view)).inserted { followers.append(bytes.append(key.view)) }
      }
    } catch {
      rejections.count(error, line: number)
    }
  }

  /// The subscriptions that were read.
  public consuming func finish() -> ReplaySubscriptions {
    ReplaySubscriptions(rejected: rejections.sorted, parts: parts, followers: followers, bytes: bytes)
  }
}
