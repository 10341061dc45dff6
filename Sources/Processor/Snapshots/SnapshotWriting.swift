import Logging
import Synchronization

/// One snapshot file on its way to the disk. The worker hands over blocks, and others write them; what it gives up
/// by letting go of this leaves no file.
final class SnapshotWriting: Sendable {
  /// What became of the file.
  enum Outcome { case writing, saved, failed }

  private struct State {
    var output: (any SnapshotOutput)?
    var outcome = Outcome.writing
    var isGivenUp = false
    var waitingBytes = 0
    var byteCount = 0
  }

  private let store: any SnapshotStore
  private let name: String
  private let background: any BackgroundWork
  private let logger: Logger
  private let state = Mutex(State())

  init(store: any SnapshotStore, name: String, background: any BackgroundWork, logger: Logger) {
    self.store = store
    self.name = name
    self.background = background
    self.logger = logger
  }

  var outcome: Outcome { state.withLock { $0.outcome } }
  /// Bytes that were handed over and are not written yet.
  var waitingBytes: Int { state.withLock { $0.waitingBytes } }

  /// Writes the next bytes.
  func append(_ bytes: [UInt8]) {
    state.withLock { $0.waitingBytes += bytes.count }
    background.run { [self] in
      attempt { () throws(SnapshotStoreError) in try output().append(bytes) }
      state.withLock {
        $0.waitingBytes -= bytes.count
        $0.byteCount += bytes.count
      }
    }
  }

  /// Makes the file the snapshot of its partition, unless it was given up meanwhile.
  func commit() {
    background.run { [self] in
      attempt { () throws(SnapshotStoreError) in try output().commit() }
      let bytes = state.withLock { state -> Int? in
        state.output = nil
        guard state.outcome == .writing, !state.isGivenUp else { return nil }
        state.outcome = .saved
        return state.byteCount
      }
      if let bytes {
        logger.info("snapshot saved", metadata: ["file": "\(store.path(name))", "bytes": "\(bytes)"])
      }
    }
  }

  /// What is not saved yet never is.
  func giveUp() { state.withLock { $0.isGivenUp = true } }

  private func output() throws(SnapshotStoreError) -> any SnapshotOutput {
    if let output = state.withLock({ $0.output }) { return output }
    let output = try store.create(name)
    state.withLock { $0.output = output }
    return output
  }

  /// A failure is no more than a warning: a restart reads more of the state log.
  private func attempt(_ body: () throws(SnapshotStoreError) -> Void) {
    guard state.withLock({ $0.outcome == .writing && !$0.isGivenUp }) else { return }
    do throws(SnapshotStoreError) {
      try body()
    } catch {
      logger.warning(
        "the snapshot cannot be saved, a restart reads more of the state log: \(error)",
        metadata: ["file": "\(store.path(name))"])
      state.withLock {
        $0.outcome = .failed
        $0.output = nil
      }
    }
  }
}

/// Work that is done at once, by whoever hands it over.
struct ImmediateWork: BackgroundWork {
  func run(_ work: @escaping @Sendable () -> Void) { work() }
}
