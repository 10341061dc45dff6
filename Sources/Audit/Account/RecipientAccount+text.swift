import Contract

extension RecipientAccount {
  /// The account in plain words.
  public var text: String {
    var lines = [headline]
    if let keptSince {
      lines.append(
        "Retention has deleted the decisions before \(keptSince): what was decided earlier is not shown.")
    }
    for notification in notifications { lines += [""] + notification.lines }
    for digest in earlierDigests { lines += [""] + digest.lines }
    if !engagement.isEmpty { lines += ["", "Engagement:"] + engagement.map { "  \($0.sentence)" } }
    lines += notes
    return lines.joined(separator: "\n") + "\n"
  }

  /// Tenant, recipient and home.
  private var name: String {
    "\(recipient)\(tenant == "default" ? "" : " of tenant \(tenant)"), home partition \(partition) of \(partitionCount)"
  }

  private var headline: String {
    guard isEmpty else {
      return
        "\(name): \(notifications.count) notification\(notifications.count == 1 ? "" : "s") since \(since)."
    }
    let known =
      recipientRecord.map { " There is a record of the recipient (\($0.at), written \($0.appended))." }
      ?? " There is no record of the recipient either: check the id, its case, and --tenant."
    return
      "\(name): nothing found since \(since) (\(decisionsRead) decisions read, \(recipientDecisions) of them about "
      + "this recipient)."
      + known
  }

  private var notes: [String] {
    var notes: [String] = []
    if !isEmpty, let recipientRecord {
      notes.append(
        "The recipient's record in force is \(recipientRecord.at), written \(recipientRecord.appended).")
    }
    if let undecidedRecords, undecidedRecords > 0 {
      notes.append(
        "The processors have up to \(undecidedRecords) records of this partition still to read: a missing event may be "
          + "among them.")
    }
    notes.append(
      "Events that were rejected are not shown: a record that cannot be read names no recipient. The topic of rejected "
        + "records has them, with their reasons.")
    return [""] + notes
  }
}

extension RecipientAccount.Notification {
  fileprivate var lines: [String] {
    var lines = ["\(type) \"\(event)\" from \(source)\(category.map { ", category \($0)" } ?? "")"]
    lines.append(row("came", came))
    lines.append(row("decided", decided))
    for channel in channels {
      for (index, sentence) in channel.sentencesWithGrounds.enumerated() {
        lines.append(row(index == 0 ? channel.channel : "", sentence))
      }
    }
    if channels.isEmpty { lines.append(row("", "its type has no channels: nothing is delivered")) }
    return lines
  }

  private var came: String {
    var text = arrival.appended.map { "\($0) at \(arrival.at)" }
    text = text ?? "at \(arrival.at), which retention has deleted since"
    if let audience = arrival.audience {
      text? += ", for all who follow \(audience)"
      if let origin = arrival.origin { text? += ", fanned out from \(origin)" }
    } else if let origin = arrival.origin {
      text? += ", forwarded from \(origin)"
    }
    return text ?? ""
  }

  private var decided: String {
    var text = "\(verdict.time)"
    if let appended = arrival.appended { text += ", \(duration(from: appended, to: verdict.time)) later" }
    text += ", by catalog \(catalog)"
    if let recipientRecord { text += " and the recipient's record at offset \(recipientRecord)" }
    text += " (decision \(verdict.decision), \(verdict.at))"
    if isDuplicate {
      text +=
        repeats.map { ": a repeat of \($0)" } ?? ": a repeat of one that was decided before the range shown"
    }
    return text
  }
}

extension RecipientAccount.ChannelAccount {
  /// What became of it, what decided it, and then the way of its delivery.
  fileprivate var sentencesWithGrounds: [String] {
    var sentences = sentences
    if let grounds = grounds?.sentence { sentences.insert(grounds, at: min(1, sentences.count)) }
    return sentences
  }

  private var sentences: [String] {
    switch outcome {
    case "delivered": ["delivered alone\(tooFew)"] + deliverySentences
    case "digest":
      [
        "merged into digest \(digest?.id ?? "?") with \(digest?.members ?? 0) notification"
          + "\(digest?.members == 1 ? "" : "s"), "
          + "\(digest?.due.map { "due \($0), " } ?? "")closed \(digest?.closed?.time.description ?? "?")"
          + (digest?.closed.map { " (decision \($0.decision), \($0.at))" } ?? "")
      ] + deliverySentences
    case "open":
      [
        "waits in digest \(digest?.id ?? "?")\(digest?.due.map { ", due \($0)" } ?? "")"
          + (digest?.closed.map {
            ". The digest was closed without it (decision \($0.decision)): run tidings audit"
          }
            ?? "; it may close earlier when it is full, or later if it slides or holds too few")
      ]
    case "suppressed": ["\(Self.words(forSuppression: reason))\(withdrawal)"]
    case "expired":
      [
        digest?.closed.map {
          "expired while it waited in digest \(digest?.id ?? "?") (decision \($0.decision))"
        }
          ?? "expired: its expirytime had passed when it was decided"
      ]
    case "retracted": ["taken back by its producer\(withdrawal)"]
    case "collapsed": ["replaced by a newer event of the same collapsekey\(withdrawal)"]
    default: ["\(outcome): this version does not know that outcome"]
    }
  }

  /// That it waited for a digest that did not come about, if it did.
  private var tooFew: String {
    guard let digest, let closed = digest.closed else { return "" }
    return ", since \(digest.members ?? 0) were too few for digest \(digest.id), "
      + "\(digest.due.map { "due \($0), " } ?? "")closed \(closed.time) (decision \(closed.decision), \(closed.at))"
  }

  /// When it left its window, if it waited in one.
  private var withdrawal: String {
    guard let withdrawn else { return "" }
    return (cause.map { ", with \"\($0)\"" } ?? "")
      + ", while it waited in digest \(digest?.id ?? "?") (\(withdrawn.time), decision \(withdrawn.decision))"
  }

  /// Why a channel gets nothing, by the code in the decision.
  static func words(forSuppression reason: String?) -> String {
    switch reason {
    case "duplicate": "nothing: the same event was decided before, within the dedup horizon"
    case "optedOut": "nothing: the recipient does not want this category on this channel"
    case "noAddress": "nothing: the recipient has no address for this channel, or no record"
    case "muted": "nothing: the recipient has muted the event's subject"
    case "ownAction": "nothing: the recipient caused it, and is not told of their own actions"
    case "unsubscribed": "nothing: the recipient has unsubscribed from this category on this channel"
    case "seen", "seenElsewhere": "nothing: the recipient had seen it in the inbox before this was due"
    case "bounced": "nothing: mail to the recipient's address comes back"
    case "complained": "nothing: the recipient has called mail from here unwanted"
    case let other?: "nothing: \(other)"
    case nil: "nothing, for a reason that the decision does not name"
    }
  }

  private var deliverySentences: [String] {
    guard let delivery else {
      return [
        "its record \(deliveryID ?? "?") is not in the delivery topic any more: retention, or run tidings audit"
      ]
    }
    return delivery.sentences(channel: channel)
  }
}

extension RecipientAccount.Delivery {
  fileprivate func sentences(channel: String) -> [String] {
    var written = "written \(appended) as \(id) at \(at)"
    if let address { written += ", to \(address)" }
    written +=
      recipientRecord.map { ", by the recipient's record at offset \($0)" }
      ?? ", without a recipient's record"
    return [written] + handOverSentences(channel: channel)
  }

  private func handOverSentences(channel: String) -> [String] {
    if let deadLetter {
      return [
        "GIVEN UP \(deadLetter.time) after \(deadLetter.attempts) attempt\(deadLetter.attempts == 1 ? "" : "s"), "
          + "\(deadLetter.reason): \(deadLetter.detail) (\(deadLetter.at))"
      ]
    }
    let isEmail = channel == Channel.email.name
    switch handOver {
    case .done:
      return [
        isEmail
          ? "handed over: the email sink is done with it, the mail server took it (its answer is only in "
            + "the sink's log, at level debug)"
          : "in the inbox (whether it was seen is not known here)"
      ]
    case .waiting:
      return [
        isEmail
          ? "not handed over yet, or just now: the email sink has not committed it"
          : "the inbox has not read it yet"
      ]
    case .unknown:
      return [
        "whether it was handed over is not known: the sink's group has no offset here. Is "
          + (isEmail ? "`tidings sink email`" : "`tidings inbox`") + " running?"
      ]
    }
  }
}

extension RecipientAccount.EarlierDigest {
  fileprivate var lines: [String] {
    var lines = [
      "digest \(digest.id) by \(channel), with \(earlierMembers) notification\(earlierMembers == 1 ? "" : "s") that "
        + "came before the range shown"
    ]
    let end = digest.closed.map { "closed \($0.time) (decision \($0.decision), \($0.at))" } ?? ""
    let count = digest.members ?? 0
    let members = "with \(count) notification\(count == 1 ? "" : "s")"
    let nothing =
      suppressionReason.map { RecipientAccount.ChannelAccount.words(forSuppression: $0) } ?? "all had expired"
    lines.append(
      row(
        channel,
        count == 0
          ? "\(end): \(nothing)"
          : "\(end) \(members)\(isSingly ? ", too few for a digest: each delivered alone" : "")"))
    guard count > 0 else { return lines }
    if isSingly { return lines + singleSentences.map { row("", $0) } }
    return lines
      + (delivery?.sentences(channel: channel) ?? ["its record is not in the delivery topic any more"]).map {
        row("", $0)
      }
  }

  /// The ways of the notifications that came before the range and were delivered alone.
  private var singleSentences: [String] {
    let gone = singleIDs.count - singles.count
    let rest =
      gone > 0
      ? ["\(gone) record\(gone == 1 ? " is" : "s are") not in the delivery topic any more"] : []
    return singles.flatMap { $0.sentences(channel: channel) } + rest
  }
}

extension RecipientAccount.Place: CustomStringConvertible {
  /// `topic [partition] offset n`.
  public var description: String { "\(topic) [\(partition)] offset \(offset)" }
}

private func row(_ name: String, _ text: String) -> String {
  "  " + name + String(repeating: " ", count: max(1, 9 - name.count)) + text
}

private func duration(from start: Instant, to end: Instant) -> String {
  let milliseconds = max(0, end.milliseconds - start.milliseconds)
  switch milliseconds {
  case ..<10_000: return "\(milliseconds) ms"
  case ..<600_000: return "\(milliseconds / 1000) s"
  default: return "\(milliseconds / 60_000) min"
  }
}
