import Benchmarks

/// What a benchmark found out, for people and for programs.
protocol BenchReport: Encodable {
  /// For people.
  var table: String { get }

  /// As JSON, with a line's end.
  func json() throws -> String
}

extension BenchReport {
  /// Writes the report to standard output.
  func write(asJSON: Bool) throws { Terminal.output.write(asJSON ? try json() : table) }
}

extension PipelineReport: BenchReport {}
extension WindowsReport: BenchReport {}
extension ThroughputReport: BenchReport {}
extension RestoreReport: BenchReport {}
