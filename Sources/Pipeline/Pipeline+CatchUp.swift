import Contract
import Policy

extension Pipeline {
  /// The digest that a notification waits in which would be delivered at once, because it comes too late for that; nil
  /// where it does not, or the catalog says nothing of it.
  ///
  /// Its age is what lies between the timer clock and the append time of its event where that was read first. What is
  /// critical is never too late.
  mutating func catchUp(_ arrival: Arrival, on channel: Channel) -> DigestRule? {
    guard let catchUp = catalog.catchUps[channel] else { return nil }
    let flaws = configuration.flaws
    if arrival.priority == .critical, !flaws.contains(.catchUpHoldsCritical) { return nil }
    if flaws.contains(.catchUpIgnored) { return nil }
    let appended = flaws.contains(.catchUpByLastTopic) ? arrival.appended : arrival.firstAppended
    return arrival.now - appended > catchUp.afterMilliseconds ? catchUp.overflow : nil
  }
}
