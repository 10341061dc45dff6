import Foundation

extension ZoneOffsets {
  /// The zone of a name as Foundation knows it; nil where it does not, or where the name is none of IANA's.
  ///
  /// On Linux that is the data that Foundation itself carries (ICU's), not the system's.
  convenience init?(foundation name: String) {
    guard IANAName.isPlausible(name), let zone = TimeZone(identifier: name) else { return nil }
    // Foundation knows no offsets before 1901 and after 2100, and gives changes for ever.
    let end = Date(timeIntervalSince1970: Double(ZoneOffsets.end))
    var last = Date(timeIntervalSince1970: -2_177_452_800)
    let firstOffset = Int64(zone.secondsFromGMT(for: last))
    var changes: [Change] = []
    while let next = zone.nextDaylightSavingTimeTransition(after: last), next > last, next < end {
      last = next
      let instant = Int64(next.timeIntervalSince1970.rounded())
      changes.append(Change(instant: instant, offset: Int64(zone.secondsFromGMT(for: next))))
    }
    self.init(name: name, firstOffset: firstOffset, changes: changes)
  }
}

/// Which texts can be names of IANA zones at all.
///
/// Foundation also takes abbreviations of ICU's, and some of those are not what their users mean: BST is Dhaka, AST
/// is Anchorage. Offsets such as GMT+3 are no names of zones either, and have the opposite sign in `Etc/GMT+3`.
enum IANAName {
  /// The names without an area that the database has; `Factory` means that no zone was chosen.
  private static let withoutArea: Set<String> = [
    "CET", "CST6CDT", "Cuba", "EET", "EST", "EST5EDT", "Egypt", "Eire", "GB", "GB-Eire", "GMT", "GMT+0",
    "GMT-0",
    "GMT0", "Greenwich", "HST", "Hongkong", "Iceland", "Iran", "Israel", "Jamaica", "Japan", "Kwajalein",
    "Libya",
    "MET", "MST", "MST7MDT", "NZ", "NZ-CHAT", "Navajo", "PRC", "PST8PDT", "Poland", "Portugal", "ROC", "ROK",
    "Singapore", "Turkey", "UCT", "UTC", "Universal", "W-SU", "WET", "Zulu",
  ]

  /// What lies beside the areas in a folder of zones or in ICU's data, and is no area of the database.
  private static let foreignAreas: Set<Substring> = ["posix", "right", "SystemV"]

  /// Whether a text has the form of a name of the database: also a path that leads out of no folder.
  static func isPlausible(_ name: String) -> Bool {
    guard name.utf8.count <= 64 else { return false }
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count > 1 else { return withoutArea.contains(name) }
    guard parts.count <= 3, !foreignAreas.contains(parts[0]), name != "Etc/Unknown" else { return false }
    return parts.allSatisfy { part in
      let isSpelled = part.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "_"):
          true
        default: false
        }
      }
      return isSpelled && !part.isEmpty
    }
  }
}
