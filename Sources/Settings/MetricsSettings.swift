/// Metrics and health: the section `metrics`.
public struct MetricsSettings: Equatable, Sendable {
  /// The address to listen at.
  public var host: String
  /// The port to listen at; 0 for any free one.
  public var port: Int

  static let host = SettingKey(
    "metrics", "host", default: "127.0.0.1", .host,
    "The address of `/metrics`, `/livez` and `/readyz`. In a container: `0.0.0.0`.")
  static let port = SettingKey(
    "metrics", "port", default: 9_464, .integer(0...65_535),
    "The port of `/metrics`, `/livez` and `/readyz`; 0 takes any free one. Each process on a machine needs its own."
  )
}
