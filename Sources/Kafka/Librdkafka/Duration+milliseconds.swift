extension Duration {
  /// Whole milliseconds for librdkafka: rounded up, so that a time-out never becomes zero by itself, and clamped to
  /// 0…2³¹-1 (24 days).
  var wholeMilliseconds: Int32 {
    if self <= .zero { return 0 }
    let (seconds, attoseconds) = components
    guard seconds < 2_147_483 else { return .max }
    return Int32(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
  }
}
