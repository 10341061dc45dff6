import Contract
import Foundation
import Synchronization

/// Snapshots as files of a folder. A file is written under another name, made durable and then renamed, so that a
/// crash at any instant leaves the former one or the next one.
package struct FolderSnapshotStore: SnapshotStore {
  private let folder: String
  private static let numbers = Atomic<Int>(0)
  /// Tells this life of the process from all others: in a container, each has the same process id.
  private static let life = String(UInt64.random(in: .min ... .max), radix: 36)
  private static let temporarySuffix = ".tmp"

  /// - Parameter folder: made when the first file is written, if it does not exist.
  package init(folder: String) { self.folder = folder }

  package func path(_ name: String) -> String { folder + "/" + name }

  package func open(_ name: String) throws(SnapshotStoreError) -> (any SnapshotInput)? {
    let path = path(name)
    let raw = Foundation.open(path, O_RDONLY | O_CLOEXEC)
    guard raw >= 0 else {
      if errno == ENOENT { return nil }
      throw SnapshotStoreError("opening \(path)", code: errno)
    }
    let file = FileDescriptor(raw)
    var status = stat()
    guard fstat(file.raw, &status) == 0 else { throw SnapshotStoreError("looking at \(path)", code: errno) }
    return FolderSnapshotInput(file: file, path: path, size: Int64(status.st_size))
  }

  package func create(_ name: String) throws(SnapshotStoreError) -> any SnapshotOutput {
    if mkdir(folder, 0o700) != 0, errno != EEXIST {
      do {
        try FileManager.default.createDirectory(
          atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      } catch {
        throw SnapshotStoreError("making the folder \(folder)", code: errno)
      }
    }
    removeLeftovers(of: name)
    let number = Self.numbers.add(1, ordering: .relaxed).newValue
    let temporary = path("\(name).\(Self.life)-\(number)\(Self.temporarySuffix)")
    // Events of real people are in it.
    let raw = Foundation.open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard raw >= 0 else { throw SnapshotStoreError("creating \(temporary)", code: errno) }
    return FolderSnapshotOutput(
      file: FileDescriptor(raw), temporary: temporary, final: path(name), folder: folder)
  }

  /// Files that a crash left half written: those of the name, and after a day those of partitions that have not come
  /// back. One that another process is still writing fails there with a warning.
  private func removeLeftovers(of name: String) {
    let found = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    for file in found where file.hasSuffix(Self.temporarySuffix) && !file.contains(".\(Self.life)-") {
      let isForgotten =
        file.contains(ProcessorConfiguration.snapshotSuffix + ".") && isOlderThanADay(path(file))
      if file.hasPrefix("\(name).") || isForgotten { unlink(path(file)) }
    }
  }

  private func isOlderThanADay(_ path: String) -> Bool {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    guard let written = attributes?[.modificationDate] as? Date else { return false }
    return -written.timeIntervalSinceNow > 86_400
  }
}

/// An open file, closed with its owner.
private struct FileDescriptor: ~Copyable, Sendable {
  let raw: Int32

  init(_ raw: Int32) { self.raw = raw }

  deinit { close(raw) }
}

private final class FolderSnapshotInput: SnapshotInput {
  private let file: FileDescriptor
  private let path: String
  private var buffer = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  let size: Int64

  init(file: consuming FileDescriptor, path: String, size: Int64) {
    self.file = file
    self.path = path
    self.size = size
  }

  deinit { buffer.deallocate() }

  func read(at offset: Int64, count: Int) throws(SnapshotStoreError) -> ByteView {
    // No more than the file has, whatever it says of itself.
    let count = Int(max(0, min(Int64(count), size - max(0, offset))))
    if buffer.count < count {
      buffer.deallocate()
      buffer = .allocate(byteCount: count, alignment: 16)
    }
    var done = 0
    while done < count {
      let taken = pread(
        file.raw, buffer.baseAddress?.advanced(by: done), count - done, off_t(offset) + off_t(done))
      if taken < 0, errno == EINTR { continue }
      guard taken >= 0 else { throw SnapshotStoreError("reading \(path)", code: errno) }
      guard taken > 0 else { break }
      done += taken
    }
    return ByteView(UnsafeRawBufferPointer(rebasing: buffer[..<done]))
  }
}

private final class FolderSnapshotOutput: SnapshotOutput {
  private let file: FileDescriptor
  private let temporary: String
  private let final: String
  private let folder: String
  private let isCommitted = Atomic<Bool>(false)

  init(file: consuming FileDescriptor, temporary: String, final: String, folder: String) {
    self.file = file
    self.temporary = temporary
    self.final = final
    self.folder = folder
  }

  deinit {
    if !isCommitted.load(ordering: .relaxed) { unlink(temporary) }
  }

  func append(_ bytes: [UInt8]) throws(SnapshotStoreError) {
    let failure: Int32? = bytes.withUnsafeBytes { buffer in
      var done = 0
      while done < buffer.count {
        let written = write(file.raw, buffer.baseAddress?.advanced(by: done), buffer.count - done)
        if written < 0, errno == EINTR { continue }
        guard written >= 0 else { return errno }
        done += written
      }
      return nil
    }
    if let failure { throw SnapshotStoreError("writing \(temporary)", code: failure) }
  }

  func commit() throws(SnapshotStoreError) {
    guard fsync(file.raw) == 0 else { throw SnapshotStoreError("syncing \(temporary)", code: errno) }
    guard rename(temporary, final) == 0 else {
      throw SnapshotStoreError("renaming \(temporary)", code: errno)
    }
    isCommitted.store(true, ordering: .relaxed)
    // The name is durable only with the folder.
    let raw = Foundation.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard raw >= 0 else { throw SnapshotStoreError("opening \(folder)", code: errno) }
    let directory = FileDescriptor(raw)
    guard fsync(directory.raw) == 0 else { throw SnapshotStoreError("syncing \(folder)", code: errno) }
  }
}
