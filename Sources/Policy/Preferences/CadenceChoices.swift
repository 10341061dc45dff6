/// The cadences that a recipient may choose on a channel of a type.
public struct CadenceChoices: OptionSet, Hashable, Sendable {
  /// One bit per cadence, the lowest is `instant`.
  public let rawValue: UInt8

  /// A set of the cadences whose bits are set; other bits are ignored.
  public init(rawValue: UInt8) { self.rawValue = rawValue & 0xF }

  /// A set of cadences.
  public init(_ cadences: some Sequence<Cadence>) {
    self.init(rawValue: cadences.reduce(0) { $0 | 1 << $1.rank })
  }

  /// All of them: what a channel allows that is not mandatory, where the catalog says nothing.
  public static let all = CadenceChoices(Cadence.allCases)

  /// What a channel allows where the catalog says nothing: all, and none where it is mandatory.
  static func standard(mandatory: Bool) -> CadenceChoices { mandatory ? [] : .all }

  /// Whether a cadence may be chosen.
  public func contains(_ cadence: Cadence) -> Bool { rawValue & 1 << cadence.rank != 0 }

  /// What a choice comes to: itself where it is allowed, else the next rarer one that is, else the rarest that is; nil
  /// where there is no choice.
  public func nearest(to cadence: Cadence) -> Cadence? {
    var rarer = cadence.rank
    while let candidate = Cadence(rank: rarer) {
      if contains(candidate) { return candidate }
      rarer += 1
    }
    // The rarest that is left is more frequent than the choice.
    return Cadence(rank: 7 - rawValue.leadingZeroBitCount)
  }
}

extension Cadence {
  /// From the most frequent to the rarest.
  fileprivate var rank: Int {
    switch self {
    case .instant: 0
    case .hourly: 1
    case .daily: 2
    case .weekly: 3
    }
  }

  fileprivate init?(rank: Int) {
    switch rank {
    case 0: self = .instant
    case 1: self = .hourly
    case 2: self = .daily
    case 3: self = .weekly
    default: return nil
    }
  }
}
