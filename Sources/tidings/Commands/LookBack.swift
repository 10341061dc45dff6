import ArgumentParser
import Contract
import MarkedYAML

/// From when on: a time back from now, or an instant.
struct LookBack: ExpressibleByArgument, Equatable {
  private enum Kind: Equatable {
    case seconds(Int64)
    case instant(milliseconds: Int64)
  }

  private let kind: Kind

  init(seconds: Int64) { kind = .seconds(seconds) }

  /// Reads `45s`, `30m`, `2h`, `7d` or an RFC 3339 instant.
  init?(argument: String) {
    if let milliseconds = argument.withByteView({ RFC3339.milliseconds(of: $0) }) {
      kind = .instant(milliseconds: milliseconds)
      return
    }
    guard let back = try? DurationText.parse(argument), back >= .seconds(1) else { return nil }
    kind = .seconds(back.components.seconds)
  }

  /// The text that stands for it, for help.
  var defaultValueDescription: String {
    switch kind {
    case .seconds(let seconds): seconds % 3600 == 0 ? "\(seconds / 3600)h" : "\(seconds)s"
    case .instant(let milliseconds): "\(Instant(milliseconds))"
    }
  }

  func milliseconds(now: Int64) -> Int64 {
    switch kind {
    case .seconds(let seconds): now - seconds * 1000
    case .instant(let milliseconds): milliseconds
    }
  }
}
