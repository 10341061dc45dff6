import Contract
import MarkedYAML

extension YAMLValue {
  /// What is written for each channel. What is wrong is reported to the document; nil where it is no mapping of channels.
  ///
  /// - Parameter read: reads one channel's value, and reports by itself.
  func byChannel<Value>(_ read: (YAMLValue, Channel) -> Value?) -> [Channel: Value]? {
    let names = Channel.allCases.map(\.name)
    guard !isEmpty else {
      report("names no channel; give at least one of \(names.joined(separator: ", "))")
      return nil
    }
    guard let mapping = mapping(keys: names) else { return nil }
    var values: [Channel: Value] = [:]
    for channel in Channel.allCases {
      values[channel] = mapping[channel.name].flatMap { read($0, channel) }
    }
    return values
  }
}
