import Contract
import Pipeline

/// What a catalog makes of a history.
public struct CatalogOutcome: Equatable, Sendable {
  /// The version of the catalog.
  public let catalogVersion: String
  /// The conservation law, over all partitions.
  public let counters: Counters
  /// What is sent, by channel and category, in the order of these.
  public let categories: [CategoryDays]
  /// What recipients get, by channel.
  public let loads: [RecipientLoad]
  /// Events that the catalog rejects, by reason.
  public let rejected: [RejectedLines]

  init(
    catalogVersion: String, counters: Counters, messages: MessageTotals, rejected: [RejectedLines]
  ) {
    self.catalogVersion = catalogVersion
    self.counters = counters
    self.categories = messages.categories
    self.loads = messages.loads
    self.rejected = rejected
  }

  /// What is sent on a channel.
  public func total(_ channel: Channel) -> DayCount {
    categories.reduce(DayCount()) { $1.channel == channel ? $0 + $1.total : $0 }
  }

  /// What is sent on a channel by day, with the days of a message only.
  public func days(_ channel: Channel) -> [Day: DayCount] {
    var days: [Day: DayCount] = [:]
    for category in categories where category.channel == channel {
      days.merge(category.days) { $0 + $1 }
    }
    return days
  }

  /// What is sent on a channel by period, in their order, with the periods of a message only.
  public func periods(_ channel: Channel, _ unit: PeriodUnit) -> [(period: Period, count: DayCount)] {
    var periods: [Period: DayCount] = [:]
    for (day, count) in days(channel) {
      periods[Period(unit, of: day), default: DayCount()] =
        periods[Period(unit, of: day), default: DayCount()] + count
    }
    return periods.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// The days with the most messages of a channel, the most first, then the earlier.
  public func busiestDays(_ channel: Channel, limit: Int) -> [(day: Day, count: DayCount)] {
    let sorted = days(channel).sorted { ($1.value.messages, $0.key) < ($0.value.messages, $1.key) }
    return sorted.prefix(limit).map { ($0.key, $0.value) }
  }
}

/// How long the periods are that days are put together to.
public enum PeriodUnit: String, CaseIterable, Sendable {
  /// A day.
  case day
  /// A month of the calendar.
  case month
  /// A year of the calendar.
  case year

  /// The unit that gives a table of some lines for a history: days for a month, months for three years.
  public init(_ history: HistorySummary) {
    guard let first = history.first, let last = history.last else {
      self = .day
      return
    }
    let days = last.day.number - first.day.number + 1
    self = days <= 31 ? .day : days <= 1096 ? .month : .year
  }
}

/// A day, month or year.
public struct Period: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// Which of these it is.
  public let unit: PeriodUnit
  /// Its first day.
  public let start: Day

  /// The period that a day is in.
  public init(_ unit: PeriodUnit, of day: Day) {
    self.unit = unit
    switch unit {
    case .day: start = day
    case .month: start = Day(number: CivilDate.day(year: day.year, month: day.month, day: 1))
    case .year: start = Day(number: CivilDate.day(year: day.year, month: 1, day: 1))
    }
  }

  /// The period after it.
  public var next: Period {
    switch unit {
    case .day: Period(unit, of: Day(number: start.number + 1))
    case .month: Period(unit, of: Day(number: start.number + 31))
    case .year: Period(unit, of: Day(number: start.number + 366))
    }
  }

  /// Such as `2024-10-25`, `2024-10`, `2024`.
  public var description: String {
    let length = unit == .day ? 10 : unit == .month ? 7 : 4
    return String(start.description.prefix(length))
  }

  /// Earlier is less.
  public static func < (left: Period, right: Period) -> Bool { left.start < right.start }
}
