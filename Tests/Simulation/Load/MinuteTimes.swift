/// A schedule that is due at each of the five full minutes after an instant, in each zone of the run, and at the same
/// local times of every other day.
///
/// Zones are a table of offsets here: in the days of the runs no clock of theirs changes, and nothing of the product's
/// zones takes part in its own check.
struct MinuteTimes: Equatable {
  /// The names that recipients' records have. The last two are no zones, so that the deployment's decides: UTC.
  static let zones = ["UTC", "Europe/Berlin", "Asia/Kolkata", "Mars/Phobos", "europe/berlin"]

  /// The local times, in minutes since midnight.
  let minutes: [Int64]

  init(after start: Int64) {
    let clocks = [nil, "Europe/Berlin", "Asia/Kolkata"].map { start / 60_000 + Self.offset(of: $0) }
    minutes = Set(clocks.flatMap { clock in (1...5).map { (clock + $0) % 1_440 } }).sorted()
  }

  /// The first instant after another at which it is due, both in milliseconds, by a zone of a recipient's record.
  func next(after instant: Int64, in zone: String?) -> Int64 {
    var minute = instant / 60_000 + 1
    while !minutes.contains((minute + Self.offset(of: zone)) % 1_440) { minute += 1 }
    return minute * 60_000
  }

  /// The keys of the catalog.
  var keys: String {
    let texts = minutes.map { "\"\(Self.digits($0 / 60)):\(Self.digits($0 % 60))\"" }
    return "at: [\(texts.joined(separator: ", "))]"
  }

  /// In November, in minutes.
  private static func offset(of zone: String?) -> Int64 {
    switch zone {
    case "Europe/Berlin": 60
    case "Asia/Kolkata": 330
    default: 0
    }
  }

  private static func digits(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
