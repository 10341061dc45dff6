import GRDB

/// What keeps the inbox from its database.
public enum InboxStoreError: Error, Sendable, CustomStringConvertible {
  /// The file cannot be opened or created.
  case cannotOpen(path: String, reason: String)
  /// The database does not take writes at the moment: the disk is full, another process holds the lock, the
  /// disk failed or is read-only. Nothing was changed; the same again may succeed.
  case unavailable(path: String, reason: String)
  /// The database refuses for a reason that does not pass by itself.
  case failed(path: String, reason: String)

  /// Whether the same call may succeed later.
  public var isTransient: Bool {
    if case .unavailable = self { return true }
    return false
  }

  /// What is the matter and what to do.
  public var description: String {
    switch self {
    case .cannotOpen(let path, let reason):
      "cannot open the inbox database \(path): \(reason). Set inbox.database to a file in a directory "
        + "that this process may write to."
    case .unavailable(let path, let reason):
      "the inbox database \(path) takes no writes: \(reason). Nothing is lost: deliveries wait in "
        + "their topic."
    case .failed(let path, let reason): "the inbox database \(path) failed: \(reason)."
    }
  }

  init(_ error: any Error, path: String) {
    guard let error = error as? DatabaseError else {
      self = .failed(path: path, reason: "\(error)")
      return
    }
    let words = error.message ?? "result code \(error.resultCode.rawValue)"
    switch error.resultCode {
    case .SQLITE_FULL:
      self = .unavailable(path: path, reason: "the disk is full (\(words)); make room")
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      self = .unavailable(path: path, reason: "another process holds its lock (\(words)); end that process")
    case .SQLITE_READONLY, .SQLITE_PERM:
      self = .unavailable(
        path: path, reason: "it may not be written (\(words)); check owner and mode of the file")
    case .SQLITE_IOERR, .SQLITE_CANTOPEN:
      self = .unavailable(path: path, reason: "the disk answers with an error (\(words)); check the disk")
    default: self = .failed(path: path, reason: words)
    }
  }
}
