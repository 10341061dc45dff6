import CoreMetrics
import Logging
import Synchronization

/// The swift-metrics back end of Tidings: keeps every metric in memory and renders the Prometheus text
/// format.
///
/// Give it to `MetricsSystem.bootstrap` once per process and to the ``OperationsServer``. Increments take no
/// lock; making a metric does, so make it once and keep it. All methods may be called from any thread.
///
/// A metric that ``MetricCatalogue`` declares has the kind, the labels and the buckets of its declaration.
/// Others, as libraries make them, are exported too: timers in seconds, names in the form of the format.
public final class PrometheusRegistry: MetricsFactory, Sendable {
  private let declarations: [String: MetricDeclaration]
  private let seriesLimit: Int
  private let logger: Logger
  private let state = Mutex(State())

  private struct State {
    var families: [String: MetricFamily] = [:]
    var refreshers: [@Sendable () -> Void] = []
    var warned: Set<String> = []
  }

  /// A registry.
  ///
  /// - Parameters:
  ///   - declarations: what is known about metrics by name.
  ///   - seriesLimit: the most sets of labels per metric; what comes beyond counts in one series `overflow`.
  ///   - logger: told once per metric about an overflow or a use against the declaration.
  public init(
    declarations: [MetricDeclaration] = MetricCatalogue.all, seriesLimit: Int = 4096,
    logger: Logger = Logger(label: "tidings.metrics")
  ) {
    self.declarations = Dictionary(
      declarations.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    self.seriesLimit = max(1, seriesLimit)
    self.logger = logger
  }

  /// The text of all metrics, in exposition format 0.0.4, families by name and series by label.
  public func render() -> String {
    for refresh in state.withLock({ $0.refreshers }) { refresh() }
    let families = state.withLock { Array($0.families.values) }
    var text = PrometheusText()
    for family in families.sorted(by: { $0.declaration.name < $1.declaration.name }) { text.append(family) }
    return text.output
  }

  /// Has `refresh` called before each rendering, for values that are looked up rather than recorded.
  public func beforeRender(_ refresh: @escaping @Sendable () -> Void) {
    state.withLock { $0.refreshers.append(refresh) }
  }

  private func series<Series>(
    _ label: String, _ dimensions: [(String, String)], kind: MetricDeclaration.Kind, as type: Series.Type
  ) -> Series? {
    let family = family(label, dimensions, kind: kind)
    let name = family.declaration.name
    guard family.declaration.kind.name == kind.name else {
      warnOnce(
        name, "metric is declared as \(family.declaration.kind.name) but used as \(kind.name); not exported")
      return nil
    }
    let series = family.series(dimensions) {
      logger.error(
        "too many label sets for one metric; further ones count in the series \"overflow\"",
        metadata: ["metric": "\(name)", "limit": "\(seriesLimit)"])
    }
    return series as? Series
  }

  private func family(
    _ label: String, _ dimensions: [(String, String)], kind: MetricDeclaration.Kind
  ) -> MetricFamily {
    let declared = declarations[label]
    let declaration =
      declared ?? MetricDeclaration(undeclared: label, kind: kind, labels: dimensions.map(\.0))
    if let declared {
      for (name, _) in dimensions where !declared.labels.contains(MetricDeclaration.labelName(name)) {
        warnOnce(label, "label \(name) is not declared for this metric; left out")
      }
    }
    return state.withLock { state in
      if let family = state.families[declaration.name] { return family }
      let made = MetricFamily(declaration, seriesLimit: seriesLimit)
      state.families[declaration.name] = made
      return made
    }
  }

  private func remove(_ series: AnyObject) {
    for family in state.withLock({ Array($0.families.values) }) { family.remove(series) }
  }

  private func warnOnce(_ metric: String, _ message: String) {
    let isFirst = state.withLock { $0.warned.insert(metric + message).inserted }
    if isFirst { logger.warning("\(message)", metadata: ["metric": "\(metric)"]) }
  }
}

// MARK: - MetricsFactory

extension PrometheusRegistry {
  /// The counter with these labels.
  public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    series(label, dimensions, kind: .counter, as: CounterSeries.self) ?? CounterSeries()
  }

  /// The counter with these labels, for amounts that are not whole.
  public func makeFloatingPointCounter(
    label: String, dimensions: [(String, String)]
  ) -> any FloatingPointCounterHandler {
    series(label, dimensions, kind: .counter, as: CounterSeries.self) ?? CounterSeries()
  }

  /// The gauge with these labels, or the histogram where the declaration or `aggregate` says so.
  public func makeRecorder(
    label: String, dimensions: [(String, String)], aggregate: Bool
  ) -> any RecorderHandler {
    var kind: MetricDeclaration.Kind = aggregate ? .histogram(buckets: Self.plainBuckets) : .gauge
    if let declared = declarations[label]?.kind, declared != .counter { kind = declared }
    if case .histogram = kind {
      return series(label, dimensions, kind: kind, as: HistogramSeries.self) ?? HistogramSeries(bounds: [])
    }
    return series(label, dimensions, kind: kind, as: GaugeSeries.self) ?? GaugeSeries()
  }

  /// The gauge with these labels.
  public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    series(label, dimensions, kind: .gauge, as: GaugeSeries.self) ?? GaugeSeries()
  }

  /// The histogram with these labels, in seconds.
  public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    let kind = declarations[label]?.kind ?? .histogram(buckets: MetricCatalogue.shortDurations)
    return series(label, dimensions, kind: kind, as: HistogramSeries.self) ?? HistogramSeries(bounds: [])
  }

  /// Takes the counter out of the exposition.
  public func destroyCounter(_ handler: any CounterHandler) { remove(handler) }

  /// Takes the counter out of the exposition.
  public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { remove(handler) }

  /// Takes the gauge or histogram out of the exposition.
  public func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }

  /// Takes the gauge out of the exposition.
  public func destroyMeter(_ handler: any MeterHandler) { remove(handler) }

  /// Takes the histogram out of the exposition.
  public func destroyTimer(_ handler: any TimerHandler) { remove(handler) }

  /// Bounds of a recorder without a declaration, whose unit nobody told.
  static let plainBuckets: [Double] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000]
}
