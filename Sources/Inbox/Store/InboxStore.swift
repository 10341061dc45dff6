import Foundation
import GRDB

/// The notifications of all recipients in one SQLite file, with the offsets up to which the topic is stored.
///
/// Rows and offsets change in the same database transaction, which makes the inbox exactly-once: whatever is
/// read again is recognised by its offset. Every change of an inbox takes the next number of that inbox's
/// sequence.
///
/// One writer at a time, readers beside it (WAL). All methods may be called from any thread. A write that
/// returned survives a loss of power (`synchronous = FULL`).
public final class InboxStore: Sendable {
  /// The file.
  public let path: String
  let pool: DatabasePool
  /// Signals that the engagement topic is to be told something.
  let engagementSignals: AsyncStream<Void>
  private let engagementSignal: AsyncStream<Void>.Continuation

  /// Opens the database and brings its tables up to date; makes the file and its directory where they are
  /// missing.
  ///
  /// - Throws: ``InboxStoreError/cannotOpen(path:reason:)``.
  public init(path: String) throws(InboxStoreError) {
    self.path = path
    (engagementSignals, engagementSignal) = AsyncStream.makeStream(
      of: Void.self, bufferingPolicy: .bufferingNewest(1))
    var configuration = Configuration()
    configuration.busyMode = .timeout(2)
    configuration.maximumReaderCount = 4
    configuration.prepareDatabase { database in
      try database.execute(sql: "PRAGMA synchronous = FULL")
      // Delivery ids are random: a batch touches pages all over their index, and SQLite's 2 MB hold too few
      // of them.
      try database.execute(sql: "PRAGMA cache_size = -65536")
      // A longer log before it is copied back: pages that several batches change are copied once.
      try database.execute(sql: "PRAGMA wal_autocheckpoint = 8000")
    }
    do {
      let directory = URL(fileURLWithPath: path).deletingLastPathComponent()
      try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
      pool = try DatabasePool(path: path, configuration: configuration)
      try InboxSchema.migrator.migrate(pool)
    } catch let error as DatabaseError {
      throw .cannotOpen(path: path, reason: error.message ?? "result code \(error.resultCode.rawValue)")
    } catch {
      throw .cannotOpen(path: path, reason: error.localizedDescription)
    }
  }

  /// The number of notifications of all recipients.
  public func notificationCount() throws(InboxStoreError) -> Int {
    try reading { try Int.fetchOne($0, sql: "SELECT count(*) FROM notification") ?? 0 }
  }

  /// Runs a read on the calling thread, beside writes.
  func reading<Result>(_ body: (Database) throws -> Result) throws(InboxStoreError) -> Result {
    do {
      return try pool.read(body)
    } catch {
      throw InboxStoreError(error, path: path)
    }
  }

  /// Runs a write on the calling thread, in a transaction that an error rolls back.
  func writing<Result>(_ body: (Database) throws -> Result) throws(InboxStoreError) -> Result {
    do {
      return try pool.write(body)
    } catch {
      throw InboxStoreError(error, path: path)
    }
  }

  /// Runs a read beside writes, without blocking a thread of the caller's.
  func reading<Result: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Result
  ) async throws(InboxStoreError) -> Result {
    do {
      return try await pool.read(body)
    } catch {
      throw InboxStoreError(error, path: path)
    }
  }

  /// Runs a write in a transaction that an error rolls back, without blocking a thread of the caller's.
  func writing<Result: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Result
  ) async throws(InboxStoreError) -> Result {
    do {
      return try await pool.write(body)
    } catch {
      throw InboxStoreError(error, path: path)
    }
  }

  /// Says that the engagement topic is to be told something.
  func signalEngagement() { engagementSignal.yield() }

  static func now() -> Int64 { Int64((Date().timeIntervalSince1970 * 1000).rounded(.down)) }
}
