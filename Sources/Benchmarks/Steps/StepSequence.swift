/// The steps of one benchmark: each is announced, and answers what it was asked.
struct StepSequence {
  private let runner: any StepRunner
  private let onProgress: (String, StepProgress) -> Void

  init(_ runner: any StepRunner, onProgress: @escaping (String, StepProgress) -> Void) {
    self.runner = runner
    self.onProgress = onProgress
  }

  var isolatesSteps: Bool { runner.isolatesSteps }

  /// Runs a step and waits for it.
  ///
  /// - Parameters:
  ///   - prefix: before the topics that it works on.
  ///   - title: what it does, for whoever waits.
  ///   - answer: what it finds out.
  /// - Throws: what made the step fail; `BenchmarkError` where it answered something else.
  func run<Answer>(
    _ step: Step, _ prefix: String, _ title: String, _ answer: (StepResult) -> Answer?
  ) throws -> Answer {
    onProgress(title, StepProgress(share: nil, count: 0, unit: ""))
    let result = try runner.run(step, prefix: prefix) { onProgress(title, $0) }
    return try Self.check(answer(result))
  }

  private static func check<Answer>(_ answer: Answer?) throws -> Answer {
    guard let answer else {
      throw BenchmarkError("a step answered what it was not asked: this is a fault")
    }
    return answer
  }

  /// Runs two steps at the same time and waits for both; the progress is that of the first.
  ///
  /// - Parameters:
  ///   - companion: runs beside it, at the same site.
  ///   - answer: what the step finds out.
  ///   - companionsAnswer: what the one beside it does.
  /// - Throws: what made the first of them fail; `BenchmarkError` where one answered something else.
  func run<Answer, CompanionsAnswer>(
    _ step: Step, beside companion: Step, _ prefix: String, _ title: String,
    _ answer: (StepResult) -> Answer?, _ companionsAnswer: (StepResult) -> CompanionsAnswer?
  ) throws -> (Answer, CompanionsAnswer) {
    let beside = CompanionStep(companion, prefix: prefix, runner)
    let (found, result) = try beside.run { try run(step, prefix, title, answer) }
    return (found, try Self.check(companionsAnswer(result)))
  }

  /// Runs a step that prepares something.
  func run(_ step: Step, _ prefix: String, _ title: String) throws {
    try run(step, prefix, title, \.prepared)
  }
}

extension StepResult {
  var prepared: Void? { if case .published = self { () } else { nil } }
  var state: WrittenState? { if case .written(let found) = self { found } else { nil } }
  var reading: LogReading? { if case .read(let found) = self { found } else { nil } }
  var restoration: Restoration? { if case .restored(let found) = self { found } else { nil } }
  var throughput: Throughput? { if case .throughput(let found) = self { found } else { nil } }
  var paced: PacedMeasurement? { if case .paced(let found) = self { found } else { nil } }
  var pipeline: PipelineMeasurement? { if case .pipeline(let found) = self { found } else { nil } }
  var firing: Firing? { if case .fired(let found) = self { found } else { nil } }
  var windows: WindowsMeasurement? { if case .windows(let found) = self { found } else { nil } }
}
