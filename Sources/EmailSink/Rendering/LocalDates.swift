import Foundation

/// Times as the recipient reads them: in their zone and the manner of their locale.
struct LocalDates {
  private let style: Date.FormatStyle
  private let zoneName: String

  /// - Parameters:
  ///   - locale: BCP 47; British English when nil or unknown.
  ///   - timeZone: an IANA name; UTC when nil or unknown.
  init(locale: String?, timeZone: String?) {
    let zone = timeZone.flatMap { TimeZone(identifier: $0) }
    zoneName = zone == nil ? "UTC" : timeZone ?? "UTC"
    style = Date.FormatStyle(
      date: .abbreviated, time: .shortened, locale: Locale(identifier: locale ?? "en_GB"),
      timeZone: zone ?? .gmt)
  }

  /// The time with the name of its zone, such as `20 Nov 2026 at 23:45 (UTC)`.
  func text(milliseconds: Int64) -> String {
    "\(Date(timeIntervalSince1970: Double(milliseconds) / 1000).formatted(style)) (\(zoneName))"
  }
}
