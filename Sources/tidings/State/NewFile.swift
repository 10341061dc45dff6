import Foundation

/// Makes the file of a command's result.
enum NewFile {
  /// Makes a file, which must not exist. Where it does not become whole it is taken away, so that the command can be
  /// given again.
  ///
  /// - Parameter body: writes to the file.
  /// - Throws: `CommandEnd` when the file exists or cannot be made; what `body` throws.
  static func make<Result>(_ path: String, _ body: (_ descriptor: Int32) throws -> Result) throws -> Result {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw CommandEnd(.usage, "\(path): \(String(cString: strerror(errno)))") }
    defer { close(descriptor) }
    do {
      return try body(descriptor)
    } catch {
      unlink(path)
      throw error
    }
  }
}
