import Contract
import MarkedYAML
import Policy

/// When the schedules of a type are due next, by channel.
struct DueTimes: Encodable {
  /// One time.
  struct Due: Encodable {
    /// What calendar and clock on the wall show: `Sun 2025-03-30 03:00:00 +02:00`.
    let local: String
    /// The instant as RFC 3339.
    let utc: String
  }

  /// The times of one channel.
  struct ChannelTimes: Encodable {
    let channel: String
    /// The schedule in words: `mon, fri at 09:00`.
    let schedule: String
    let due: [Due]
  }

  let type: String
  let zone: String
  let catalogVersion: String
  let channels: [ChannelTimes]

  /// The next `count` times after an instant, in milliseconds since the epoch.
  ///
  /// - Parameters:
  ///   - channel: nil for every channel with a schedule.
  ///   - file: the catalog's, as errors name it.
  /// - Throws: `CommandEnd`, which names what is unknown, or why there are no times.
  init(
    of type: String, on channel: Channel?, in catalog: Catalog, file: String, zone: String, count: Int,
    after start: Int64
  ) throws(CommandEnd) {
    guard let offsets = ZoneDatabase.system.zone(named: zone) else {
      throw DueTimes.unknown(
        "\"\(zone)\" is no time zone of the IANA database", meant: ZoneDatabase.suggestion(for: zone))
    }
    guard let index = type.withByteView({ catalog.typeIndex(named: $0) }) else {
      let names = (0..<catalog.typeCount).lazy.map { catalog.typeName(at: $0).string }
      throw DueTimes.unknown("\(file) lists no type \"\(type)\"", meant: NearestName.of(type, in: names))
    }
    let rules = catalog.rules(at: index).channels
    var channels: [ChannelTimes] = []
    for candidate in channel.map({ [$0] }) ?? Array(Channel.allCases) {
      guard case .digest(let rule) = rules[candidate]?.policy, case .schedule(let id) = rule.window else {
        continue
      }
      let schedule = catalog.schedule(id)
      channels.append(
        ChannelTimes(
          channel: candidate.name, schedule: schedule.description,
          due: schedule.next(count, after: start, in: offsets).map {
            Due(local: offsets.text(at: $0), utc: Instant($0).description)
          }))
    }
    guard !channels.isEmpty else {
      let place = channel.map { " on \($0.name)" } ?? ""
      throw CommandEnd(
        .usage, "\(type) has no schedule\(place): no channel there has `policy: schedule` in \(file)")
    }
    self.type = type
    self.zone = offsets.name
    self.channels = channels
    catalogVersion = catalog.versionText
  }

  private static func unknown(_ message: String, meant: String?) -> CommandEnd {
    CommandEnd(.usage, message + (meant.map { " (did you mean \"\($0)\"?)" } ?? ""))
  }

  /// A paragraph for each channel, a line for each time.
  var text: String {
    channels.map { channel in
      "\(type) on \(channel.channel), \(channel.schedule), \(zone)\n"
        + channel.due.map { "  \($0.local)  \($0.utc)\n" }.joined()
    }.joined(separator: "\n")
  }

  /// The same as JSON, ending with a line break.
  func json() throws -> String { try JSONDocument.text(self, as: .indented) }
}
