import Contract
import MarkedYAML
import Policy

extension Catalog {
  /// How a channel's rule delivers, in words, as far as it says so for all recipients.
  func words(for rule: ChannelRule) -> String {
    var parts: [String] = []
    if case .digest(let digest) = rule.policy {
      parts += words(for: digest)
    } else {
      parts.append("each alone, at once")
    }
    if let throttle = rule.throttle.map({ limit($0) }) {
      let period = DurationText.format(.milliseconds(throttle.periodMilliseconds))
      let overflow = words(for: throttle.overflow).joined(separator: ", ")
      parts.append("at most \(throttle.count) of a category in \(period) (the others \(overflow))")
    }
    if let budget = budgets[rule.channel] {
      let period = DurationText.format(.milliseconds(budget.periodMilliseconds))
      let overflow = words(for: budget.overflow).joined(separator: ", ")
      parts.append("at most \(budget.count) at once of all types in \(period) (the others \(overflow))")
    }
    if let catchUp = catchUps[rule.channel] {
      let age = DurationText.format(.milliseconds(catchUp.afterMilliseconds))
      let overflow = words(for: catchUp.overflow).joined(separator: ", ")
      parts.append("what is older than \(age) when it is decided not at once (\(overflow))")
    }
    if rule.choices != .all, !rule.mandatory || rule.choices != [] {
      let names = Cadence.allCases.filter { rule.choices.contains($0) }.map(\.name)
      parts.append(
        names.isEmpty
          ? "recipients may choose no other cadence"
          : "recipients may choose \(names.joined(separator: ", "))")
    }
    if rule.skipIfSeen { parts.append("without what was seen before") }
    if rule.mandatory { parts.append("mandatory: nobody's wish keeps it away") }
    return parts.joined(separator: ", ")
  }

  private func words(for digest: DigestRule) -> [String] {
    var parts: [String] = []
    let options = options(digest.options)
    if let slide = options.slide {
      parts.append("together, \(slide.words)")
    } else if case .length(let milliseconds) = digest.window {
      parts.append("together, \(DurationText.format(.milliseconds(milliseconds))) after the first")
    } else if case .schedule(let id) = digest.window {
      parts.append("together, \(schedule(id))")
    } else {
      parts.append("together")
    }
    parts.append(
      digest.group.map { "with what has the group \(text($0).string)" } ?? "with what has its category")
    return parts + options.words(itemLimit: digest.itemLimit)
  }
}
