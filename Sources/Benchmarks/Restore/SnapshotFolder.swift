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

  /// Whether the folder is in a file system that keeps its files in memory, so that none of them is ever read from a disk;
  /// false where the system does not say.
  var isInMemory: Bool {
    var status = stat()
    guard stat(path, &status) == 0,
      let mounts = try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)
    else { return false }
    let device = UInt64(truncatingIfNeeded: status.st_dev)
    let type = Self.fileSystem(ofDevice: device, mounts: mounts)
    return type == "tmpfs" || type == "ramfs"
  }

  /// The type of a device's file system.
  ///
  /// - Parameters:
  ///   - device: as Linux numbers devices.
  ///   - mounts: what `/proc/<process>/mountinfo` holds: `36 35 98:0 /root /mounted rw,noatime master:1 - ext3 /dev/x rw`.
  static func fileSystem(ofDevice device: UInt64, mounts: String) -> Substring? {
    let major = device >> 8 & 0xFFF | device >> 32 & ~0xFFF
    let minor = device & 0xFF | device >> 12 & ~0xFF & 0xFFFF_FFFF
    for line in mounts.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count > 2, words[2] == "\(major):\(minor)", let end = words.firstIndex(of: "-") else {
        continue
      }
      return words[(end + 1)...].first
    }
    return nil
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
