import Benchmarks

/// Says on standard error what a benchmark does and how far it is.
final class BenchProgress {
  private var title = ""
  private var bar = ProgressBar()

  func show(_ title: String, _ progress: StepProgress) {
    if title != self.title {
      bar.clear()
      bar = ProgressBar()
      self.title = title
      Terminal.error.writeLine("\(title) …")
      return
    }
    guard bar.isDue else { return }
    let text = progress.unit.isEmpty ? "" : progress.count.counted(progress.unit)
    bar.show(share: progress.share, text: text, count: progress.count)
  }

  func clear() { bar.clear() }
}
