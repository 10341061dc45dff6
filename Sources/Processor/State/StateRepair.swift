/// What an operator decides about a state that does not agree with its group, or not with the time.
public enum StateRepair: Sendable, Equatable {
  /// Where a state that begins anew reads on.
  public enum Start: Sendable, Equatable {
    /// At the group's offsets; at the old state's where the group has none.
    case group
    /// At the first records that the topics hold.
    case beginning
    /// Behind the last ones.
    case end
  }

  /// The state goes on at the group's offsets.
  case adoptGroup
  /// The group goes on at the state's offsets.
  case adoptState
  /// The persisted timer clock is set to an instant in milliseconds since the epoch, or to the broker's time (nil);
  /// the input clock with it if asked for.
  case setClock(to: Int64?, includesInput: Bool)
  /// The state is forgotten, and begins anew.
  case reset(Start)

  /// The name of its subcommand of `tidings state`.
  public var name: String {
    switch self {
    case .adoptGroup: "adopt-group"
    case .adoptState: "adopt-state"
    case .setClock: "set-clock"
    case .reset: "reset"
    }
  }
}

/// A persisted clock that is set.
public struct ClockChange: Sendable, Equatable {
  /// What it says, in milliseconds since the epoch.
  public let from: Int64
  /// What it is to say; nil for the broker's time at the moment of writing.
  public let to: Int64?
}

/// What a repair would write, and what that costs. The same whether it is a dry run or not.
public struct StateRepairPlan: Sendable, Equatable {
  /// The repair.
  public let repair: StateRepair
  /// The partition of the state topic.
  public let partition: Int32
  /// The number of the first state record to write.
  public let sequence: UInt64
  /// The inputs as they are.
  public let inputs: [InputAgreement]
  /// The offsets that state and group have afterwards, in the order of the inputs.
  public let targets: [Int64]
  /// What becomes of the timer clock; nil where it stays.
  public let timerClock: ClockChange?
  /// What becomes of the input clock; nil where it stays.
  public let inputClock: ClockChange?
  /// The offset of the state log before which everything is deleted afterwards; nil where nothing is.
  public let deletesBefore: Int64?
  /// The number after which the decisions of a state that begins anew go on; nil where none is known.
  public let decisions: UInt64?
  /// What is lost, skipped, repeated or forgotten, a sentence each. Empty: nothing.
  public let costs: [String]

  /// Whether state and group have what the repair would give them.
  public var isNeedless: Bool {
    guard repair == .adoptGroup || repair == .adoptState else { return false }
    return zip(inputs, targets).allSatisfy { $0.state == $1 && $0.group == $1 }
  }
}
