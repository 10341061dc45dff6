/// A day of the week, numbered from Monday as ISO 8601 does, but from 0.
public enum Weekday: UInt8, CaseIterable, Comparable, Sendable {
  /// The days in their order.
  case monday = 0
  case tuesday, wednesday, thursday, friday, saturday, sunday

  /// The weekday of a day that is numbered since 1970-01-01, a Thursday.
  package init(ofDay day: Int64) {
    let number = (day + 3).flooredQuotientAndRemainder(dividingBy: 7).remainder
    self = Weekday.allCases[Int(number)]
  }

  /// The name in catalogs and records: `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`.
  public var name: String {
    switch self {
    case .monday: "mon"
    case .tuesday: "tue"
    case .wednesday: "wed"
    case .thursday: "thu"
    case .friday: "fri"
    case .saturday: "sat"
    case .sunday: "sun"
    }
  }

  /// The weekday of a name, in small letters; nil for every other text.
  public init?(name: String) {
    guard let day = Weekday.allCases.first(where: { $0.name == name }) else { return nil }
    self = day
  }

  /// The name with a capital, as dates are written: `Mon`.
  package var title: String { name.capitalized }

  /// Orders from Monday to Sunday.
  public static func < (left: Weekday, right: Weekday) -> Bool { left.rawValue < right.rawValue }
}

/// A set of days of the week.
public struct Weekdays: OptionSet, Hashable, Sendable, CustomStringConvertible {
  /// One bit per day, the lowest is Monday.
  public let rawValue: UInt8

  /// A set of the days whose bits are set; the eighth bit is ignored.
  public init(rawValue: UInt8) {
    self.rawValue = rawValue & 0x7F
  }

  /// A set of days.
  public init(_ days: some Sequence<Weekday>) {
    self.init(rawValue: days.reduce(0) { $0 | 1 << $1.rawValue })
  }

  /// All seven.
  public static let everyDay = Weekdays(rawValue: 0x7F)
  /// Monday to Friday.
  public static let mondayToFriday = Weekdays(rawValue: 0x1F)

  /// Whether a day is in the set.
  public func contains(_ day: Weekday) -> Bool { rawValue & 1 << day.rawValue != 0 }

  /// Whether the weekday of a day that is numbered since 1970-01-01 is in the set.
  package func contains(day: Int64) -> Bool { contains(Weekday(ofDay: day)) }

  /// The days in their order.
  public var days: [Weekday] { Weekday.allCases.filter(contains) }

  /// `every day`, or the names of the days: `mon, fri`.
  public var description: String {
    self == .everyDay ? "every day" : days.map(\.name).joined(separator: ", ")
  }
}
