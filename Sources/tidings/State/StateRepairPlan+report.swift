import Processor

extension StateRepairPlan {
  /// The plan for people.
  ///
  /// - Parameter verb: `would` in a dry run, else `will`.
  func report(verb: String) -> String {
    let place = inputs.first.map { "partition \($0.place.partition)" } ?? "partition \(partition)"
    guard !isNeedless else {
      return "\(repair.name), \(place): state and group agree, there is nothing to do\n"
    }
    // Asking the broker for its time takes a record, many windows take some more.
    let records =
      timerClock == nil ? "state record number \(sequence)" : "state records from number \(sequence) on"
    var lines = [
      "\(repair.name), \(place): \(verb) write \(records), with these offsets:"
    ]
    for (input, target) in zip(inputs, targets) {
      let state = input.state.map { "\($0)" } ?? "none"
      let group = input.group.map { "\($0)" } ?? "none"
      lines.append(
        "  \(input.place): \(target) (the state's \(state), the group's \(group); the topic holds \(input.low) to "
          + "\(input.high))")
    }
    for (name, change) in [("timer", timerClock), ("input", inputClock)] {
      guard let change else { continue }
      let target = change.to.map { "\(InstantText($0))" } ?? "the broker's time at that moment"
      lines.append("  the \(name) clock: from \(InstantText(change.from)) to \(target)")
    }
    if let deletesBefore { lines.append("  and \(verb) delete the state log before offset \(deletesBefore)") }
    lines.append(costs.isEmpty ? "It costs nothing: no record is skipped or read again." : "What it costs:")
    lines += costs.map { "  \($0)" }
    return lines.joined(separator: "\n") + "\n"
  }
}

extension StateRepairOutcome {
  /// The outcome for people.
  var report: String {
    var text =
      "Done: state record number \(sequence.grouped) is at offset \(offset), the group's offsets are set."
    if let clock { text += " The clock is at \(InstantText(clock))." }
    if rescheduled > 0 { text += " \(rescheduled.counted("window")) due earlier." }
    return text
  }
}
