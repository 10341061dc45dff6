/// Says how far a long command is: a bar on a terminal, a line every two seconds elsewhere. On standard error, so that
/// standard output holds results only.
struct ProgressBar {
  private static let width = 30
  static let interval: Duration = .milliseconds(100)

  private var lines: LiveLines
  private let start = ContinuousClock.now
  private let delay: Duration
  private var lastShown: ContinuousClock.Instant?

  /// A bar on a terminal.
  ///
  /// - Parameter delay: how long the command has to take before there is something to show.
  init(_ terminal: Terminal = .error, delay: Duration = ProgressBar.interval) {
    lines = LiveLines(terminal, plainInterval: .seconds(2))
    self.delay = delay
  }

  /// Whether it is time to show something.
  var isDue: Bool {
    let now = ContinuousClock.now
    return lastShown.map { now - $0 >= Self.interval } ?? (now - start >= delay)
  }

  /// Shows how far it is.
  ///
  /// - Parameters:
  ///   - share: 0…1, and what is beyond counts as the nearer end; nil where nobody knows.
  ///   - text: what was done, such as `12,830 events`.
  ///   - count: the number behind the text, for the rate.
  mutating func show(share: Double?, text: String, count: Int) {
    let now = ContinuousClock.now
    lastShown = now
    let seconds = (now - start).inSeconds
    let rate = seconds > 0.5 && count > 0 ? ", \(Int(Double(count) / seconds).grouped)/s" : ""
    guard let share else { return lines.show(["\(text)\(rate)"], plain: "\(text)\(rate)") }
    // What is not a number is nothing.
    let bounded = min(1, max(0, share))
    let filled = Int((bounded * Double(Self.width)).rounded(.down))
    let bar =
      String(repeating: "█", count: filled) + String(repeating: "░", count: Self.width - filled)
    let percent = "\(Int(bounded * 100)) %"
    lines.show(["\(bar) \(percent)  \(text)\(rate)"], plain: "\(percent)  \(text)\(rate)")
  }

  /// Takes the bar away, before something else is written to the terminal.
  mutating func clear() { lines.clear() }
}
