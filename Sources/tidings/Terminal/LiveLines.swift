/// A few lines that change in place on a terminal. Elsewhere, such as in a pipe, they are written as one plain line
/// each time that they change, at most once per interval.
struct LiveLines {
  private let terminal: Terminal
  private let plainInterval: Duration
  private var shown: [String] = []
  private var lastPlain = ""
  private var lastTime: ContinuousClock.Instant?

  init(_ terminal: Terminal, plainInterval: Duration = .seconds(1)) {
    self.terminal = terminal
    self.plainInterval = plainInterval
  }

  /// Shows the lines in place of those shown before.
  ///
  /// - Parameter plain: the line for a pipe.
  mutating func show(_ lines: [String], plain: String) {
    guard terminal.isInteractive else { return showPlain(plain) }
    if lines == shown { return }
    let width = terminal.width
    var text = eraseSequence
    for line in lines { text += String(line.prefix(width)) + "\n" }
    shown = lines
    terminal.write(text)
  }

  /// Takes the lines away, so that something else can be written in their place.
  mutating func clear() {
    guard terminal.isInteractive, !shown.isEmpty else { return }
    terminal.write(eraseSequence)
    shown = []
  }

  /// Leaves the last lines standing. In a pipe, shows the line once more if it changed.
  mutating func finish(plain: String) {
    shown = []
    lastTime = nil
    if !terminal.isInteractive { showPlain(plain) }
  }

  private mutating func showPlain(_ plain: String) {
    let now = ContinuousClock.now
    if plain == lastPlain { return }
    if let lastTime, now - lastTime < plainInterval { return }
    lastTime = now
    lastPlain = plain
    terminal.writeLine(plain)
  }

  /// Up by as many lines as are shown, and everything from there erased (ECMA-48 CPL and ED).
  private var eraseSequence: String { !shown.isEmpty ? "\u{1B}[\(shown.count)F\u{1B}[J" : "" }
}
