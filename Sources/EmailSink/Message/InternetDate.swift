import Foundation

/// Dates as RFC 5322 writes them in headers.
enum InternetDate {
  private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// `Fri, 20 Nov 2026 23:45:47 +0000`, always in UTC. Instants outside the years 1900 to 9999 are written as the
  /// nearest that RFC 5322 can express.
  static func text(milliseconds: Int64) -> String {
    let bounded = min(max(milliseconds, -2_208_988_800_000), 253_402_300_799_000)
    var seconds = time_t((bounded - (bounded % 1000 + 1000) % 1000) / 1000)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    let time = [parts.tm_hour, parts.tm_min, parts.tm_sec].map(twoDigits).joined(separator: ":")
    let date = "\(twoDigits(parts.tm_mday)) \(months[Int(parts.tm_mon)]) \(1900 + Int(parts.tm_year))"
    return "\(weekdays[Int(parts.tm_wday)]), \(date) \(time) +0000"
  }

  private static func twoDigits(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
