import Foundation

/// The folder in which a demo keeps its mail and its inbox. Each demo begins with an empty one.
struct DemoFolder: Sendable {
  /// What says that a folder is a demo's, so that nothing else is ever deleted.
  private static let marker = ".tidings-demo"
  private static let database = "inbox.sqlite"

  /// The path as the user gave it.
  let path: String

  /// The Maildir.
  var mail: String { "\(path)/mail" }
  /// The inbox's SQLite file.
  var inboxDatabase: String { "\(path)/\(Self.database)" }
  /// The events that were made of a repository's history.
  var events: String { "\(path)/events.ndjson" }

  /// Makes the folder, or empties that of an earlier demo.
  ///
  /// - Throws: `InputError` when it holds something else, or cannot be written.
  init(path: String) throws(InputError) {
    self.path = path
    let files = FileManager.default
    do {
      if files.fileExists(atPath: path) {
        let content = try files.contentsOfDirectory(atPath: path)
        guard content.isEmpty || content.contains(Self.marker) else {
          throw InputError(
            "\(path) is no folder of an earlier demo and not empty: give another one with --data")
        }
      }
      try files.createDirectory(atPath: path, withIntermediateDirectories: true)
      let databaseFiles = ["", "-wal", "-shm", "-journal"].map { Self.database + $0 }
      for name in databaseFiles + ["mail", "events.ndjson"] where files.fileExists(atPath: "\(path)/\(name)")
      {
        try files.removeItem(atPath: "\(path)/\(name)")
      }
      try Data().write(to: URL(fileURLWithPath: "\(path)/\(Self.marker)"))
    } catch let error as InputError {
      throw error
    } catch {
      throw InputError("the folder \(path) cannot be used: \(error.localizedDescription)")
    }
  }
}
