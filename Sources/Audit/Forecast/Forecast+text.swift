import Contract

extension Forecast {
  /// The forecast in plain words.
  public var text: String {
    let whom =
      tenant == RecipientKey.defaultTenant.description ? recipient : "\(recipient) of tenant \(tenant)"
    var lines = ["\(type) for \(whom), by catalog \(catalog), if it comes at \(at)", ""]
    if !isListed, rejection == nil {
      lines.append(row("type", "not listed: the catalog's defaults decide (`unknownTypes: deliver`)"))
    }
    if let rejection {
      lines.append(
        row("rejected", "it goes to the topic of rejected records, and nobody gets it: \(rejection)"))
    }
    if let category { lines.append(row("category", category)) }
    lines += recordLines
    lines.append(row("zone", "\(zone), \(zoneWords)"))
    if let unknownZone {
      lines.append(
        row(
          "",
          "the zone of the \(unknownZone == "recipient" ? "record" : unknownZone) is none, and is passed over"
        ))
    }
    for channel in channels {
      for (index, sentence) in channel.sentences.enumerated() {
        lines.append(row(index == 0 ? channel.channel : "", sentence))
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private var recordLines: [String] {
    guard let record else {
      return [row("record", "none: they get what needs no address, as the catalog says")]
    }
    var lines: [String] = []
    if let place = record.at {
      lines.append(row("record", "\(place)\(record.appended.map { ", written \($0)" } ?? "")"))
      lines.append(row("", record.value))
    } else {
      lines.append(row("record", record.value))
    }
    if let recordRejection { lines.append(row("", "it is not taken: \(recordRejection)")) }
    return lines
  }

  private var zoneWords: String {
    switch zoneOf {
    case "recipient": "as the recipient's record says"
    case "tenant": "as the tenant's defaults say"
    case "deployment": "as the deployment says (`processor.timeZone`)"
    default: "since neither record, tenant nor deployment names a zone that is known"
    }
  }
}

extension Forecast.ChannelForecast {
  fileprivate var sentences: [String] {
    var lines: [String]
    switch outcome {
    case "delivered": lines = ["delivered alone, at once"]
    case "open":
      lines = [
        "waits in a digest until \(local ?? "?") (\(due?.description ?? "?")), unless it joins one that is open"
      ]
    case "suppressed": lines = [RecipientAccount.ChannelAccount.words(forSuppression: reason)]
    default: lines = [outcome]
    }
    if let sentence = grounds?.sentence { lines.append(sentence) }
    lines.append("the catalog's rule: \(rule)")
    return lines
  }
}

private func row(_ name: String, _ text: String) -> String {
  "  " + name + String(repeating: " ", count: max(1, 10 - name.count)) + text
}
