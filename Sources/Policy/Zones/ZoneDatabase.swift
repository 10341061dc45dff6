import Foundation
import MarkedYAML
import Synchronization

/// The IANA zones of this machine: read from the system's tzdata where that has a zone, else taken from Foundation.
///
/// Foundation on Linux carries time zones of its own that only another Swift runtime renews, while the system's come
/// with its updates; and a container without tzdata still has Foundation's. Each zone is loaded once and kept, so
/// that one process never decides by two versions of a zone: an update counts from the next start on.
///
/// Any thread may ask; a loaded zone costs a lock and a dictionary. On the data path `ZoneCache` stands before it.
public final class ZoneDatabase: Sendable {
  /// Where a zone's data came from.
  public enum Source: Equatable, Sendable {
    /// A TZif file of the system, below this folder.
    case folder(String)
    /// Foundation.
    case foundation
  }

  /// The zones of the folder that `TZDIR` names, else of `/usr/share/zoneinfo`.
  public static let system = ZoneDatabase(
    folder: ProcessInfo.processInfo.environment["TZDIR"] ?? "/usr/share/zoneinfo")

  /// The folder with TZif files; nil where only Foundation is asked.
  public let folder: String?

  private let loaded = Mutex<[String: Zone]>([:])

  private struct Zone {
    let offsets: ZoneOffsets
    let source: Source
  }

  /// The largest file that is read as a zone, in bytes; the largest of the database has 4 KiB.
  private static let maxFileBytes = 256 << 10

  /// The zones of a folder, which need not exist, and of Foundation; nil for Foundation alone.
  public init(folder: String?) {
    self.folder = folder
  }

  /// The zone of an IANA name, spelled exactly as the database does; nil where there is none.
  public func zone(named name: String) -> ZoneOffsets? { entry(name)?.offsets }

  /// Where the data of a zone came from; nil where there is no such zone.
  public func source(of name: String) -> Source? { entry(name)?.source }

  /// The known name that a mistyped one was probably meant to be, if one is near.
  public static func suggestion(for name: String) -> String? {
    NearestName.of(name, in: TimeZone.knownTimeZoneIdentifiers)
  }

  /// What is wrong with the name of a zone, with what was probably meant; nil where there is such a zone.
  public func problem(with name: String) -> String? {
    guard zone(named: name) == nil else { return nil }
    let meant = Self.suggestion(for: name).map { " (did you mean \"\($0)\"?)" } ?? ""
    return "\"\(name)\" is no time zone of the IANA database\(meant)"
  }

  /// The versions of the data in words, for logs and reports: `2025b (/usr/share/zoneinfo), 2025b (Foundation)`.
  public var versions: String {
    let foundation = "\(TimeZone.timeZoneDataVersion) (Foundation)"
    return folder.map { "\(folderVersion ?? "unknown version") (\($0)), \(foundation)" } ?? foundation
  }

  /// The version of the folder's data, such as `2025b`; nil where it does not tell.
  public var folderVersion: String? {
    guard let folder else { return nil }
    // `+VERSION` holds nothing else; the first line of `tzdata.zi` is "# version 2025b".
    for (file, prefix) in [("+VERSION", ""), ("tzdata.zi", "# version ")] {
      guard let start = ZoneDatabase.bytes(of: "\(folder)/\(file)", upTo: 64),
        let line = String(decoding: start, as: UTF8.self).split(whereSeparator: \.isNewline).first,
        line.hasPrefix(prefix)
      else { continue }
      return String(line.dropFirst(prefix.count))
    }
    return nil
  }

  private func entry(_ name: String) -> Zone? {
    if let zone = loaded.withLock({ $0[name] }) { return zone }
    guard let zone = load(name) else { return nil }
    return loaded.withLock { loaded in
      // The first to arrive stays: all threads share one table.
      if let other = loaded[name] { return other }
      loaded[name] = zone
      return zone
    }
  }

  private func load(_ name: String) -> Zone? {
    guard IANAName.isPlausible(name) else { return nil }
    if let folder, let bytes = ZoneDatabase.bytes(of: "\(folder)/\(name)", upTo: ZoneDatabase.maxFileBytes),
      let offsets = ZoneOffsets(tzif: bytes, name: name)
    {
      return Zone(offsets: offsets, source: .folder(folder))
    }
    return ZoneOffsets(foundation: name).map { Zone(offsets: $0, source: .foundation) }
  }

  private static func bytes(of file: String, upTo count: Int) -> [UInt8]? {
    guard let handle = FileHandle(forReadingAtPath: file) else { return nil }
    defer { try? handle.close() }
    // A folder opens and does not read.
    guard let data = try? handle.read(upToCount: count) else { return nil }
    return Array(data)
  }
}
