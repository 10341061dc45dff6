import Contract

/// What is known of the recipients when the history begins.
///
/// Either records that were read, as `tidings publish recipients` takes them; whoever has none has no address then.
/// Or an address for each recipient of the history and nothing else.
public final class ReplayRecipients {
  /// Where the records come from.
  public enum Source: String, Encodable, Sendable {
    /// Each recipient of the history is taken to have an address, and to want everything.
    case assumed
    /// The records were read.
    case read
  }

  struct Record {
    var key: ByteStore.Extent
    /// nil deletes.
    var value: ByteStore.Extent?
  }

  /// What was read.
  public let summary: RecipientsSummary

  let records: [Record]
  let bytes: ByteStore

  init(summary: RecipientsSummary, records: [Record], bytes: ByteStore) {
    self.summary = summary
    self.records = records
    self.bytes = bytes
  }

  /// An address for each recipient of a history, and for all who follow an audience.
  public convenience init(assumedFor history: History, _ subscriptions: ReplaySubscriptions? = nil) {
    let bytes = ByteStore()
    let value = bytes.append(ByteView("{\"email\":\"recipient@example.org\"}"))
    var records = history.recipientKeys.map {
      Record(key: bytes.append(history.bytes[$0]), value: value)
    }
    if let subscriptions {
      records += subscriptions.followers.map {
        Record(key: bytes.append(subscriptions.bytes[$0]), value: value)
      }
    }
    self.init(
      summary: RecipientsSummary(source: .assumed, records: records.count), records: records, bytes: bytes)
  }
}

/// What is known of the recipients, in numbers.
public struct RecipientsSummary: Equatable, Encodable, Sendable {
  /// Where their records come from.
  public var source: ReplayRecipients.Source
  /// Records; of a recipient with several the last one counts.
  public var records: Int
  /// Lines that break the contract, by reason.
  public var rejected: [RejectedLines] = []
}

/// Reads lines of recipients. Confined to its thread.
public struct RecipientsBuilder: ~Copyable {
  private var reader: RecipientLineReader
  private let bytes = ByteStore()
  private var records: [ReplayRecipients.Record] = []
  private var rejections = RejectionTally()

  /// A builder without recipients.
  ///
  /// - Parameter recordLimit: the largest record in bytes.
  /// - Throws: `JSONError` when there is no memory.
  public init(recordLimit: Int = EventLimits().maxRecordBytes) throws(JSONError) {
    reader = try RecipientLineReader(maxBytes: recordLimit)
  }

  /// Takes a line, or counts why it cannot be taken.
  ///
  /// - Parameters: as of `HistoryBuilder.add`.
  public mutating func add(_ line: ByteView, isCut: Bool = false, number: Int) {
    do throws(Rejection) {
      if isCut { throw Rejection(.recordTooLarge, "The line has more than \(line.count) bytes.") }
      let record = try reader.read(line)
      records.append(
        ReplayRecipients.Record(
          key: bytes.append(record.key ?? .empty), value: record.value.map { bytes.append($0) }))
    } catch {
      rejections.count(error, line: number)
    }
  }

  /// The recipients that were read.
  public consuming func finish() -> ReplayRecipients {
    ReplayRecipients(
      summary: RecipientsSummary(source: .read, records: records.count, rejected: rejections.sorted),
      records: records, bytes: bytes)
  }
}
