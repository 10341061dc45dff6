import Contract
import Foundation

/// Where snapshots are kept: a folder, or a simulation's memory. A name stands for one file, which is there whole or
/// not at all.
package protocol SnapshotStore: Sendable {
  /// Opens a file to read.
  ///
  /// - Returns: nil where there is none.
  func open(_ name: String) throws(SnapshotStoreError) -> (any SnapshotInput)?
  /// Begins a file, which takes the place of the one of that name when it is committed.
  func create(_ name: String) throws(SnapshotStoreError) -> any SnapshotOutput
  /// The file as it is named in log lines.
  func path(_ name: String) -> String
}

/// A file that is read. Confined to the thread that opened it.
package protocol SnapshotInput: AnyObject {
  /// Its length in bytes.
  var size: Int64 { get }
  /// The bytes from an offset on: fewer than `count` where the file ends before. Valid until the next read.
  func read(at offset: Int64, count: Int) throws(SnapshotStoreError) -> ByteView
}

/// A file that is written. What is given up without a commit leaves nothing behind.
package protocol SnapshotOutput: Sendable {
  /// Writes on.
  func append(_ bytes: [UInt8]) throws(SnapshotStoreError)
  /// Makes the file durable, and then the one of its name.
  func commit() throws(SnapshotStoreError)
}

/// What the file system refused.
package struct SnapshotStoreError: Error, Equatable, CustomStringConvertible {
  /// What was done to which file.
  package var doing: String
  /// The system's number of the error.
  package var code: Int32

  package init(_ doing: String, code: Int32) {
    self.doing = doing
    self.code = code
  }

  package var description: String { "\(doing): \(String(cString: strerror(code)))" }
}
