import Contract
import Foundation
import SeededTesting
import Testing

@testable import Policy

@Suite("The zones of the machine")
struct ZoneDatabaseTests {
  @Test("names of the database are found, whatever is no name of it is not")
  func names() {
    for name in [
      "Europe/Berlin", "US/Pacific", "Europe/Kiev", "Europe/Kyiv", "Asia/Kolkata", "Asia/Calcutta", "UTC",
      "CET",
      "EST5EDT", "Etc/GMT+3", "America/Argentina/Buenos_Aires", "GB-Eire",
    ] {
      #expect(ZoneDatabase.system.zone(named: name)?.name == name)
      #expect(ZoneDatabase(folder: nil).zone(named: name)?.name == name)
    }
    for name in [
      "", "Mars/Phobos", "europe/berlin", "EUROPE/BERLIN", "Europe", "Europe/", "/Europe/Berlin", "PST",
      "BST",
      "AST", "GMT+3", "UTC+1", "+02:00", "Factory", "posix/Europe/Berlin", "right/Europe/Berlin",
      "posixrules",
      "localtime", "tzdata.zi", "zone.tab", "SystemV/AST4", "Etc/Unknown", "../zoneinfo/Europe/Berlin",
      "Europe/../Europe/Berlin", "Europe//Berlin", "Europe/Berlin ", "Europe/Berlin\u{0}", "Europe/Zürich",
      String(repeating: "a/", count: 100_000),
    ] {
      #expect(ZoneDatabase.system.zone(named: name) == nil, "\(name.prefix(40))")
      #expect(ZoneDatabase(folder: nil).zone(named: name) == nil, "\(name.prefix(40))")
    }
  }

  @Test("a mistyped name is answered with the one that was meant")
  func suggestion() {
    #expect(ZoneDatabase.suggestion(for: "Europe/Berln") == "Europe/Berlin")
    #expect(ZoneDatabase.suggestion(for: "europe/berlin") == "Europe/Berlin")
    #expect(ZoneDatabase.suggestion(for: "Somewhere") == nil)
  }

  @Test("the system's zones are those of Foundation, as far as both have the same version")
  func agreement() throws {
    let system = ZoneDatabase.system
    // An image without tzdata has nothing to compare.
    guard let folder = system.folder, let version = system.folderVersion else { return }
    var differing: [String] = []
    for zone in KnownZones.all {
      let own = try #require(system.zone(named: zone.name))
      guard system.source(of: zone.name) == .folder(folder) else { continue }
      let from = KnownZones.start
      let ours = own.changes.filter { $0.instant >= from }
      let theirs = zone.offsets.changes.filter { $0.instant >= from }
      if ours != theirs || own.offset(at: from) != zone.offsets.offset(at: from) {
        differing.append(zone.name)
      }
    }
    if version == TimeZone.timeZoneDataVersion {
      #expect(differing == [])
    } else {
      print("\(system.versions): \(differing.count) zones differ: \(differing)")
      #expect(differing.count < KnownZones.all.count / 10)
    }
  }

  @Test("a zone whose file is damaged or missing is taken from Foundation")
  func fallback() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "tidings-zones-\(UUID())")
    defer { try? FileManager.default.removeItem(at: folder) }
    let europe = folder.appending(path: "Europe")
    try FileManager.default.createDirectory(at: europe, withIntermediateDirectories: true)
    try Data("TZif2".utf8).write(to: europe.appending(path: "Berlin"))
    try Data(TZifFile(changes: [], types: [12_345], rule: "<X>-3:25:45").bytes).write(
      to: europe.appending(path: "Paris"))
    try Data("2099z\n".utf8).write(to: folder.appending(path: "+VERSION"))
    let database = ZoneDatabase(folder: folder.path)
    #expect(database.zone(named: "Europe/Berlin")?.offset(at: 1_750_000_000) == 7_200)
    #expect(database.source(of: "Europe/Berlin") == .foundation)
    #expect(database.source(of: "Europe/Madrid") == .foundation)
    #expect(database.source(of: "Europe/Paris") == .folder(folder.path))
    #expect(database.zone(named: "Europe/Paris")?.offset(at: 1_750_000_000) == 12_345)
    #expect(database.source(of: "Europe/Nowhere") == nil)
    #expect(database.versions == "2099z (\(folder.path)), \(TimeZone.timeZoneDataVersion) (Foundation)")
    #expect(ZoneDatabase(folder: "/nowhere").zone(named: "Europe/Berlin") != nil)
  }

  @Test("an update of tzdata changes nothing for a process that has met the zone")
  func update() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "tidings-zones-\(UUID())")
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "Europe/Berlin")
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(TZifFile(changes: [], types: [3_600], rule: "CET-1").bytes).write(to: file)
    let database = ZoneDatabase(folder: folder.path)
    let zone = try #require(database.zone(named: "Europe/Berlin"))
    try Data(TZifFile(changes: [], types: [10_800], rule: "<Y>-3").bytes).write(to: file)
    #expect(database.zone(named: "Europe/Berlin") === zone)
    #expect(ZoneDatabase(folder: folder.path).zone(named: "Europe/Berlin")?.offset(at: 0) == 10_800)
  }

  @Test("threads that meet a zone at the same time get the same table")
  func threads() async {
    let database = ZoneDatabase(folder: nil)
    let tables = await withTaskGroup(of: ObjectIdentifier?.self) { group in
      for _ in 0..<64 { group.addTask { database.zone(named: "Asia/Tokyo").map { ObjectIdentifier($0) } } }
      return await group.reduce(into: Set<ObjectIdentifier?>()) { $0.insert($1) }
    }
    #expect(tables.count == 1 && !tables.contains(nil))
  }

  @Test("a cache answers as the database does, also when it was filled with nonsense")
  func cache() {
    let cache = ZoneCache()
    func zone(_ name: String) -> ZoneOffsets? { name.withByteView(cache.zone) }
    let berlin = zone("Europe/Berlin")
    #expect(berlin === ZoneDatabase.system.zone(named: "Europe/Berlin") && berlin != nil)
    for number in 0..<(2 * ZoneCache.maxNames + 100) { #expect(zone("nonsense \(number)") == nil) }
    for known in KnownZones.all {
      #expect(zone(known.name) === ZoneDatabase.system.zone(named: known.name))
      #expect(zone(known.name) === ZoneDatabase.system.zone(named: known.name))
    }
    #expect(zone("Europe/Berlin") === berlin)
    #expect("\u{FFFD}".withByteView(cache.zone) == nil && cache.zone(named: .empty) == nil)
  }
}
