import Contract
import Processor
import Synchronization

/// Snapshots in memory: what they say of a file they can also do to it.
package final class MemorySnapshotStore: SnapshotStore {
  private struct State {
    var files: [String: [UInt8]] = [:]
    var writeFailure: Int32?
    var openCount = 0
    var commitCount = 0
  }

  private let state = Mutex(State())

  package init() {}

  /// The committed files by name.
  package var files: [String: [UInt8]] { state.withLock { $0.files } }

  /// Whether a file is being written.
  package var isWriting: Bool { state.withLock { $0.openCount > 0 } }

  /// How many files were committed.
  package var commitCount: Int { state.withLock { $0.commitCount } }

  /// Puts a file in place, or takes it away.
  package func set(_ name: String, to bytes: [UInt8]?) { state.withLock { $0.files[name] = bytes } }

  /// From now on writing fails with this error of the system, such as `ENOSPC`; nil: it succeeds again.
  package func failWrites(with code: Int32?) { state.withLock { $0.writeFailure = code } }

  package func path(_ name: String) -> String { "memory:\(name)" }

  package func open(_ name: String) throws(SnapshotStoreError) -> (any SnapshotInput)? {
    state.withLock { $0.files[name] }.map { Input($0) }
  }

  package func create(_ name: String) throws(SnapshotStoreError) -> any SnapshotOutput {
    try checkWrite("creating \(path(name))")
    return Output(store: self, name: name)
  }

  fileprivate func checkWrite(_ doing: String) throws(SnapshotStoreError) {
    if let code = state.withLock({ $0.writeFailure }) { throw SnapshotStoreError(doing, code: code) }
  }

  fileprivate func opened() { state.withLock { $0.openCount += 1 } }

  fileprivate func closed() { state.withLock { $0.openCount -= 1 } }

  fileprivate func commit(_ name: String, _ bytes: [UInt8]) {
    state.withLock {
      $0.files[name] = bytes
      $0.commitCount += 1
    }
  }

  private final class Input: SnapshotInput {
    private let bytes: UnsafeMutableRawBufferPointer

    init(_ file: [UInt8]) {
      bytes = .allocate(byteCount: file.count, alignment: 16)
      bytes.copyBytes(from: file)
    }

    deinit { bytes.deallocate() }

    var size: Int64 { Int64(bytes.count) }

    func read(at offset: Int64, count: Int) throws(SnapshotStoreError) -> ByteView {
      let start = Int(clamping: max(0, offset))
      return ByteView(UnsafeRawBufferPointer(bytes)).slice(start..<start + max(0, count))
    }
  }

  private final class Output: SnapshotOutput {
    private let store: MemorySnapshotStore
    private let name: String
    private let bytes = Mutex<[UInt8]>([])

    init(store: MemorySnapshotStore, name: String) {
      self.store = store
      self.name = name
      store.opened()
    }

    deinit { store.closed() }

    func append(_ more: [UInt8]) throws(SnapshotStoreError) {
      try store.checkWrite("writing \(store.path(name))")
      bytes.withLock { $0 += more }
    }

    func commit() throws(SnapshotStoreError) {
      try store.checkWrite("renaming \(store.path(name))")
      store.commit(name, bytes.withLock { $0 })
    }
  }
}
