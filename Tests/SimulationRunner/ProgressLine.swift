import Foundation
import Simulation

/// One line that says how far a batch of seeds is; on a terminal it is written over itself.
final class ProgressLine {
  private let isOn: Bool
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private var last = Date.distantPast

  init(isOn: Bool) { self.isOn = isOn }

  func show(_ progress: SeedBatch.Progress) {
    let now = Date()
    guard isOn, now.timeIntervalSince(last) >= (isTerminal ? 0.5 : 30) else { return }
    last = now
    let left = Int(progress.secondsLeft)
    let time = left >= 90 ? "\(left / 60) min" : "\(left) s"
    let text =
      "\(progress.done) of \(progress.total) seeds, \(Int(progress.perSecond)) per second, \(time) left"
      + (progress.failed > 0 ? ", \(progress.failed) failed" : "")
    FileHandle.standardError.write(Data((isTerminal ? "\r\u{1B}[K\(text)" : "\(text)\n").utf8))
  }

  func end() {
    if isOn, isTerminal { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
  }
}
