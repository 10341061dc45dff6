import Foundation

/// A configuration file in a folder of its own, removed with the value.
final class ConfigurationFile {
  let path: String
  private let folder: URL

  init(_ text: String) throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "tidings-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let file = folder.appending(path: "tidings.yaml")
    try Data(text.utf8).write(to: file)
    path = file.path
  }

  deinit { try? FileManager.default.removeItem(at: folder) }
}

/// The path of a file of the repository.
func repositoryFile(_ path: String) -> String {
  URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../\(path)").standardizedFileURL
    .path
}
