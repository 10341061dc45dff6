/// The number of a schedule that a catalog holds.
///
/// It is valid with the catalog that it came from, and with no other. Equal schedules of one catalog have equal numbers.
public struct ScheduleID: Hashable, Sendable {
  let index: UInt32
}

/// Gathers the schedules of a catalog and numbers them: the rules of a type hold a number in place of a schedule's
/// sixteen times.
struct ScheduleTableBuilder {
  /// What was gathered, by its number.
  private(set) var schedules: [Schedule] = []
  private var known: [Schedule: ScheduleID] = [:]

  /// The number of a schedule, the same for the same schedule.
  mutating func intern(_ schedule: Schedule) -> ScheduleID {
    if let id = known[schedule] { return id }
    let id = ScheduleID(index: UInt32(schedules.count))
    schedules.append(schedule)
    known[schedule] = id
    return id
  }
}
