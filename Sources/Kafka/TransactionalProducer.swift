import Contract

/// Hears what became of the records that were produced with a tag.
public protocol DeliveryListener: AnyObject {
  /// The broker took the record (an abort still hides it from readers), or it is lost.
  ///
  /// Called on the thread of the producer's owner, from inside `poll`, `commit` or `abort`; must not call the producer.
  func delivered(tag: UInt64, partition: Int32, result: Result<RecordMetadata, KafkaError>)
}

/// How far a commit is.
public enum CommitProgress: Sendable {
  /// All of the transaction is in.
  case committed
  /// Not known yet: call ``TransactionalProducer/commit(timeout:)`` again.
  case pending
}

/// A producer whose records, and the offsets of what they were made from, become visible together or never (KIP-98).
///
/// Confined to the thread of its owner. Every error says by its ``KafkaError/disposition`` what has to follow.
public protocol TransactionalProducer: AnyObject {
  /// Where the reports of tagged records go; held weakly.
  var deliveryListener: (any DeliveryListener)? { get set }

  /// Registers the `transactional.id`: fences the producers that had it before, and finishes what they left open.
  /// Once, before anything else. A time-out is retriable; one below a second is taken as a second, here and in
  /// ``abort(timeout:)``.
  func initTransactions(timeout: Duration) throws(KafkaError)

  /// Opens a transaction. Local: the broker hears of it with the first record.
  func begin() throws(KafkaError)

  /// Takes over memory that values of the open transaction's records are in, so that they need not be copied
  /// (``OutgoingRecord/isValueKept``).
  ///
  /// - Returns: what is written there; valid until the transaction is committed or aborted, or the producer closed.
  func keep(_ memory: consuming OutputBuffer) -> ByteView

  /// Queues a record, of which all is copied but a value that is kept. ``KafkaError/Code/queueFull`` is back-pressure:
  /// ``poll()`` and try again.
  func produce(_ record: OutgoingRecord) throws(KafkaError)

  /// Begins to make offsets part of the transaction, in the name of the group's member, or asks how far that is. It goes
  /// on by itself between the calls; with a time-out of zero none of them waits: call again with identical arguments,
  /// also after a retriable error, until they are in. Until then nothing else may be called but ``poll()`` and
  /// ``close()``; anything else throws ``KafkaError/Code/wrongState``.
  ///
  /// - Returns: whether the broker has taken them.
  /// - Throws: ``KafkaError/Code/invalidArgument`` when no offset is valid: nothing would be sent to the group, and
  ///   a zombie would not be fenced.
  @discardableResult
  func sendOffsets(_ offsets: [PartitionOffset], group: any GroupMetadata, timeout: Duration)
    throws(KafkaError) -> Bool

  /// Begins a commit, or asks how far it is. It goes on by itself between the calls; with a time-out of zero none of
  /// them waits: call again between other work until it says ``CommitProgress/committed``. Until then nothing else may
  /// be called but ``poll()`` and ``close()``; anything else throws ``KafkaError/Code/wrongState``.
  func commit(timeout: Duration) throws(KafkaError) -> CommitProgress

  /// Takes the transaction back. Records not sent yet are dropped. A time-out is retriable. Where the coordinator has
  /// not heard of the transaction, or has ended it, it may say ``KafkaError/Code/invalidTransactionState``, which is fatal
  /// to the producer: what is in is to be read.
  func abort(timeout: Duration) throws(KafkaError)

  /// Serves the delivery reports. Never waits.
  func poll()

  /// Refuses further calls; the connections end with the last reference. What is queued has up to a second to be
  /// sent and is dropped then. An open transaction is neither committed nor aborted: it is left to the next owner of
  /// the `transactional.id`, or to its time-out.
  func close()
}

/// How a transactional producer is made.
public struct TransactionalProducerOptions: Sendable {
  /// The `transactional.id`: one living producer each.
  public var transactionalID: String
  /// The topics that it produces to; `topicIndex` counts in here.
  public var topics: [String]
  /// How long the broker lets a transaction be open (`transaction.timeout.ms`).
  public var transactionTimeout: Duration
  /// The largest record in bytes: key, value and headers together (`message.max.bytes`). It bounds a batch, too, so
  /// that a topic with a `max.message.bytes` somewhat above takes every batch.
  public var messageMaxBytes: Int
  /// How long a record waits for others to share its batch (`linger.ms`). A commit cuts it short.
  public var linger: Duration

  /// A producer's options; 10 s of transaction (design §5.7), and records of 256 + 64 KiB by default.
  public init(
    transactionalID: String, topics: [String], transactionTimeout: Duration = .seconds(10),
    messageMaxBytes: Int = 320 * 1024, linger: Duration = .milliseconds(2)
  ) {
    self.transactionalID = transactionalID
    self.topics = topics
    self.transactionTimeout = transactionTimeout
    self.messageMaxBytes = messageMaxBytes
    self.linger = linger
  }
}
