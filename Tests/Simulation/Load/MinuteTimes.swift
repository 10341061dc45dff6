/// A schedule that is due at some of the full minutes after an instant, at others in each zone of the run, and at the same
/// local times of every other day.
///
/// Zones are a table of offsets here: in the days of the runs no clock of theirs changes, and nothing of the product's
/// zones takes part in its own check.
struct MinuteTimes: Equatable {
  /// The names that recipients' records have. The last two are no zones, so that the deployment's decides.
  static let zones = ["UTC", "Europe/Berlin", "Asia/Kolkata", "Mars/Phobos", "europe/berlin"]
  /// Those of them that are zones.
  static let knownZones = ["UTC", "Europe/Berlin", "Asia/Kolkata"]
  /// The zone of the deployment.
  static let deploymentZone = "Asia/Kolkata"

  /// The local times, in minutes since midnight.
  let minutes: [Int64]

  init(after start: Int64) {
    // Whichever minute a window opens in, one of the zones closes it at another instant than the others would.
    let due: [(zone: String, minutes: [Int64])] = [
      ("UTC", [1, 3, 5, 7, 9]), ("Europe/Berlin", [2, 4, 6, 8]),
      (Self.deploymentZone, [1, 2, 3, 4, 5, 6, 7]),
    ]
    minutes = Set(
      due.flatMap { zone, minutes in
        minutes.map { (start / 60_000 + Self.offset(of: zone) + $0) % 1_440 }
      }
    ).sorted()
  }

  /// The longest that a window waits in the first minutes, in milliseconds.
  static let longestWait: Int64 = 120_000

  /// The first instant after another at which it is due, both in milliseconds, by a zone of a recipient's record.
  func next(after instant: Int64, in zone: String?) -> Int64 {
    var minute = instant / 60_000 + 1
    while !minutes.contains((minute + Self.offset(of: zone)) % 1_440) { minute += 1 }
    return minute * 60_000
  }

  /// The first instant after another at which a cadence that recipients choose is due, both in milliseconds.
  static func next(_ cadence: String, after instant: Int64, in zone: String?) -> Int64 {
    // The clock on the wall, in minutes since 1970-01-01, a Thursday.
    var clock = instant / 60_000 + offset(of: zone) + 1
    func isDue() -> Bool {
      switch cadence {
      case "hourly": clock % 60 == 0
      case "daily": clock % 1_440 == 540
      default: clock % 1_440 == 540 && (clock / 1_440 + 3) % 7 == 0
      }
    }
    while !isDue() { clock += 1 }
    return (clock - offset(of: zone)) * 60_000
  }

  /// The first instant not before another that lies outside of quiet hours, both in milliseconds.
  static func end(of quietHours: (from: Int64, until: Int64), at instant: Int64, in zone: String?) -> Int64 {
    let clock = instant / 60_000 + offset(of: zone)
    let into = (clock - quietHours.from + 1_440) % 1_440
    let length = (quietHours.until - quietHours.from + 1_440) % 1_440
    return into < length ? (clock - into + length - offset(of: zone)) * 60_000 : instant
  }

  /// The local time of an instant, in minutes since midnight.
  static func minute(of instant: Int64, in zone: String?) -> Int64 {
    (instant / 60_000 + offset(of: zone)) % 1_440
  }

  /// A local time as `HH:MM`.
  static func clock(_ minute: Int64) -> String { "\(digits(minute / 60)):\(digits(minute % 60))" }

  /// The keys of the catalog.
  var keys: String {
    let texts = minutes.map { "\"\(Self.digits($0 / 60)):\(Self.digits($0 % 60))\"" }
    return "at: [\(texts.joined(separator: ", "))]"
  }

  /// In November, in minutes.
  private static func offset(of zone: String?) -> Int64 {
    switch zone {
    case "UTC": 0
    case "Europe/Berlin": 60
    default: 330
    }
  }

  private static func digits(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
