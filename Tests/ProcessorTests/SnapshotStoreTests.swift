import Contract
import Foundation
import ProcessorTesting
import Synchronization
import Testing

@testable import Processor

@Suite struct SnapshotStoreTests {
  /// A folder that goes with the test.
  private final class Folder {
    let path = NSTemporaryDirectory() + "snapshots-\(UInt64.random(in: .min ... .max))"
    var files: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }

    deinit { try? FileManager.default.removeItem(atPath: path) }
  }

  private func content(_ store: any SnapshotStore, _ name: String) throws -> [UInt8]? {
    guard let file = try store.open(name) else { return nil }
    return Array(try file.read(at: 0, count: Int(file.size)).buffer)
  }

  private func write(_ store: any SnapshotStore, _ name: String, _ bytes: [UInt8]) throws {
    let output = try store.create(name)
    for byte in bytes { try output.append([byte]) }
    try output.commit()
  }

  @Test("a file takes the place of the former one at its commit, and not before")
  func replace() throws {
    let folder = Folder()
    for store in [FolderSnapshotStore(folder: folder.path + "/a/b"), MemorySnapshotStore()]
      as [any SnapshotStore]
    {
      #expect(try content(store, "x") == nil)
      try write(store, "x", [1, 2, 3])
      #expect(try content(store, "x") == [1, 2, 3])
      let next = try store.create("x")
      try next.append([4])
      #expect(try content(store, "x") == [1, 2, 3])
      try next.append([5])
      try next.commit()
      #expect(try content(store, "x") == [4, 5])
    }
  }

  @Test("what is given up leaves no file")
  func givenUp() throws {
    let folder = Folder()
    let store = FolderSnapshotStore(folder: folder.path)
    try write(store, "x", [1])
    do {
      let output = try store.create("x")
      try output.append([2])
      #expect(folder.files.count == 2)
    }
    #expect(folder.files == ["x"])
    #expect(try content(store, "x") == [1])
  }

  @Test("what a crash left half written goes with the next snapshot of its partition")
  func leftovers() throws {
    let folder = Folder()
    let store = FolderSnapshotStore(folder: folder.path)
    try write(store, "x", [1])
    for name in ["x.0-7.tmp", "y.0-7.tmp"] {
      #expect(FileManager.default.createFile(atPath: folder.path + "/" + name, contents: Data([9])))
    }
    try write(store, "x", [2])
    #expect(folder.files == ["x", "y.0-7.tmp"])
  }

  @Test("what a crash left half written of a partition that never came back goes after a day")
  func oldLeftovers() throws {
    let folder = Folder()
    let store = FolderSnapshotStore(folder: folder.path)
    try write(store, "x", [1])
    let files = [
      "t.state-3.snapshot", "t.state-3.snapshot.0-7.tmp", "t.state-4.snapshot.0-8.tmp", "notes.tmp",
    ]
    for name in files {
      let path = folder.path + "/" + name
      #expect(FileManager.default.createFile(atPath: path, contents: Data([9])))
      let age: Double = name.contains("-4") ? 23 : 25
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSinceNow: -3_600 * age)], ofItemAtPath: path)
    }
    try write(store, "x", [2])
    #expect(folder.files == ["notes.tmp", "t.state-3.snapshot", "t.state-4.snapshot.0-8.tmp", "x"])
  }

  @Test("a file is for its owner's eyes only")
  func permissions() throws {
    let folder = Folder()
    try write(FolderSnapshotStore(folder: folder.path), "x", [1])
    let attributes = try FileManager.default.attributesOfItem(atPath: folder.path + "/x")
    #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
  }

  @Test("reads stay within the file")
  func reads() throws {
    let folder = Folder()
    for store in [FolderSnapshotStore(folder: folder.path), MemorySnapshotStore()] as [any SnapshotStore] {
      try write(store, "x", Array(0..<100))
      let file = try #require(try store.open("x"))
      #expect(file.size == 100)
      #expect(Array(try file.read(at: 10, count: 3).buffer) == [10, 11, 12])
      #expect(Array(try file.read(at: 98, count: 1 << 40).buffer) == [98, 99])
      #expect(try file.read(at: 100, count: 5).isEmpty)
      #expect(try file.read(at: 1 << 40, count: 5).isEmpty)
    }
  }

  @Test("a folder that cannot be is an error that names it")
  func impossibleFolder() throws {
    let store = FolderSnapshotStore(folder: "/dev/null/state")
    let error = try #require(throws: SnapshotStoreError.self) { try store.create("x") }
    #expect("\(error)".contains("/dev/null/state"))
    #expect(throws: SnapshotStoreError.self) { _ = try store.open("x") }
  }

  // MARK: - Writing

  @Test("a snapshot that fails in the middle is a warning, and leaves the former one")
  func failure() throws {
    let log = CollectedLog()
    let store = MemorySnapshotStore()
    store.set("x", to: [7])
    let writing = SnapshotWriting(store: store, name: "x", background: ImmediateWork(), logger: log.logger)
    writing.append([1])
    #expect(writing.outcome == .writing)
    store.failWrites(with: ENOSPC)
    writing.append([2])
    #expect(writing.outcome == .failed)
    store.failWrites(with: nil)
    writing.append([3])
    writing.commit()
    #expect(writing.outcome == .failed)
    #expect(store.files == ["x": [7]])
    #expect(log.lines.count == 1)
    #expect(log.contains("warning", "cannot be saved", "No space left on device", "file=memory:x"))
  }

  @Test("a snapshot that was given up is never saved, whatever was handed over")
  func givenUpWriting() throws {
    let store = MemorySnapshotStore()
    let work = LaterWork()
    let writing = SnapshotWriting(store: store, name: "x", background: work, logger: CollectedLog().logger)
    writing.append([1])
    writing.commit()
    #expect(writing.waitingBytes == 1)
    writing.giveUp()
    work.runAll()
    #expect(writing.waitingBytes == 0)
    #expect(writing.outcome == .writing)
    #expect(store.files.isEmpty)
  }
}

/// Work that waits until the test runs it.
private final class LaterWork: BackgroundWork {
  private let work = Mutex<[@Sendable () -> Void]>([])

  func run(_ piece: @escaping @Sendable () -> Void) { work.withLock { $0.append(piece) } }

  func runAll() {
    while let next = work.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { next() }
  }
}
