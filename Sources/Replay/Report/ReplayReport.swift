import Contract

/// All that a simulation tells: the history, what one catalog makes of it, and how that differs from another's.
public struct ReplayReport: Equatable, Sendable {
  /// A catalog, and what it makes of the history.
  public struct Run: Equatable, Sendable {
    /// The file, as the user named it.
    public var file: String
    /// What comes of it.
    public var outcome: CatalogOutcome

    /// A catalog's file with its outcome.
    public init(file: String, outcome: CatalogOutcome) {
      self.file = file
      self.outcome = outcome
    }
  }

  /// The file of the history, as the user named it.
  public var input: String
  /// What was read.
  public var history: HistorySummary
  /// What is known of the recipients.
  public var recipients: RecipientsSummary
  /// How it was replayed.
  public var options: ReplayOptions
  /// The catalog.
  public var run: Run
  /// The one that it is compared with.
  public var against: Run?

  /// A report of those parts.
  public init(
    input: String, history: HistorySummary, recipients: RecipientsSummary, options: ReplayOptions, run: Run,
    against: Run? = nil
  ) {
    self.input = input
    self.history = history
    self.recipients = recipients
    self.options = options
    self.run = run
    self.against = against
  }

  /// What changes; nil where there is nothing to compare with.
  public var difference: CatalogDifference? {
    against.map { CatalogDifference(run.outcome, against: $0.outcome) }
  }

  /// The runs in which different things are sent on a channel: the first, and the one that it is compared with unless
  /// nothing changes there.
  public func runs(on channel: Channel) -> [Run] {
    guard let against else { return [run] }
    let isSame =
      run.outcome.days(channel) == against.outcome.days(channel)
      && run.outcome.loads.first { $0.channel == channel }
        == against.outcome.loads.first { $0.channel == channel }
    return isSame ? [run] : [run, against]
  }

  /// Whether the conservation law holds under every catalog.
  public var isConserved: Bool {
    run.outcome.counters.difference == 0 && (against?.outcome.counters.difference ?? 0) == 0
  }
}
