import Foundation

/// A folder for snapshots that nobody else has.
struct SnapshotFolder {
  let path: String

  /// - Parameter parent: nil for the folder of temporary files.
  /// - Throws: `BenchmarkError` where it cannot be made.
  init(in parent: String?) throws(BenchmarkError) {
    let folder = parent.map { URL(fileURLWithPath: $0) } ?? FileManager.default.temporaryDirectory
    path = folder.appendingPathComponent("tidings-bench-\(UUID().uuidString)").path
    do {
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw BenchmarkError("the folder \(path) for snapshots cannot be made: \(error.localizedDescription)")
    }
  }

  func remove() { try? FileManager.default.removeItem(atPath: path) }

  /// Bytes of all files in it.
  func bytes() throws -> Int64 {
    try files().reduce(0) { sum, file in
      let size = try FileManager.default.attributesOfItem(atPath: file)[.size] as? NSNumber
      return sum + (size?.int64Value ?? 0)
    }
  }

  /// Makes the system read the files from the disk when they are read next. They were synced when they were written.
  ///
  /// - Throws: `BenchmarkError` where the system refuses.
  func evict() throws {
    for file in try files() {
      let descriptor = open(file, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw BenchmarkError("\(file) cannot be opened (errno \(errno))") }
      defer { close(descriptor) }
      #if canImport(Glibc)
        let code = posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
        guard code == 0 else { throw BenchmarkError("\(file) stays in memory (errno \(code))") }
      #else
        // There is no such call: the two kinds of run are the same then.
      #endif
    }
  }

  private func files() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).map { "\(path)/\($0)" }
  }
}
