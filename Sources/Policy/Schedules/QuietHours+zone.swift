import Contract

extension QuietHours {
  /// Whether an instant, in milliseconds since the epoch, is quiet in a zone.
  public func isQuiet(at instant: Int64, in zone: ZoneOffsets) -> Bool {
    end(covering: zone.reading(at: Schedule.seconds(of: instant))) != nil
  }

  /// The first instant that is not before another and not quiet in a zone, both in milliseconds since the epoch: when
  /// to send what comes at `instant`. That is `instant` itself where it is not quiet.
  ///
  /// Deterministic, without allocation and without a call to Foundation.
  public func end(at instant: Int64, in zone: ZoneOffsets) -> Int64 {
    var second = Schedule.seconds(of: instant)
    var isQuiet = false
    // Ends, since no quiet hours cover a week, and no zone changes for ever.
    while true {
      let reading = zone.reading(at: second)
      guard let end = end(covering: reading) else { return isQuiet ? second * 1_000 : instant }
      isQuiet = true
      let candidate = second + end - reading
      second = min(candidate, zone.nextChange(after: second) ?? candidate)
    }
  }
}
