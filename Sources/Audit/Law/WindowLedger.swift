import Contract

/// The windows that decisions opened and did not close yet: 100 bytes about for each notification that waits.
struct WindowLedger {
  private struct Member: Hashable {
    var notification: Hash128
    var window: Hash128
  }

  private let partition: Int32
  private let topic: String
  /// Whether windows may be open that were opened before the first decision read.
  private let mayHaveEarlier: Bool
  private var members: [Member: UInt64] = [:]
  private var windows: [Hash128: Int] = [:]
  /// Notifications whose opening lies before the first decision read.
  private(set) var earlier = 0

  init(_ partition: Int32, topic: String, mayHaveEarlier: Bool) {
    self.partition = partition
    self.topic = topic
    self.mayHaveEarlier = mayHaveEarlier
  }

  mutating func open(
    _ notification: Hash128, in window: Hash128, by decision: UInt64, into findings: inout Findings
  ) {
    let before = members.updateValue(decision, forKey: Member(notification: notification, window: window))
    if let before {
      findings.add(
        .doubledDecision, topic, partition, id: "notification \(notification.hex)",
        "decisions \(partition)-\(before) and \(partition)-\(decision) put it into window \(window.hex)")
    } else {
      windows[window, default: 0] += 1
    }
  }

  mutating func withdraw(
    _ withdrawal: Decision.Withdrawal, by decision: UInt64, into findings: inout Findings
  ) {
    let member = Member(notification: withdrawal.notification, window: withdrawal.window)
    if members.removeValue(forKey: member) != nil {
      windows[withdrawal.window, default: 1] -= 1
    } else if mayHaveEarlier {
      earlier += 1
    } else {
      findings.add(
        .foreignMember, topic, partition, id: "notification \(withdrawal.notification.hex)",
        "decision \(partition)-\(decision) takes it out of window \(withdrawal.window.hex), in which it did not wait"
      )
    }
  }

  mutating func close(_ closure: Decision.Closure, by decision: UInt64, into findings: inout Findings) {
    let isKnown = windows[closure.window] != nil
    var left = windows.removeValue(forKey: closure.window) ?? 0
    for notification in [closure.members, closure.expired].joined() {
      if members.removeValue(forKey: Member(notification: notification, window: closure.window)) != nil {
        left -= 1
      } else if mayHaveEarlier {
        earlier += 1
      } else {
        findings.add(
          .foreignMember, topic, partition, id: "notification \(notification.hex)",
          "decision \(partition)-\(decision) closes it with window \(closure.window.hex), in which it did not wait"
        )
      }
    }
    // Each of them is looked for among all that wait: as many as are shown, and no more.
    guard isKnown, left > 0, findings.count < Findings.keptLimit else { return }
    for (member, opening) in members where member.window == closure.window {
      findings.add(
        .lostMember, topic, partition, id: "notification \(member.notification.hex)",
        "it waited in window \(closure.window.hex) (decision \(partition)-\(opening)), and decision "
          + "\(partition)-\(decision) closes the window without it")
    }
    members = members.filter { $0.key.window != closure.window }
  }
}
