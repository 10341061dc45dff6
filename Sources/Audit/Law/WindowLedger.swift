import Contract

/// The windows that decisions opened and did not close yet: 100 bytes about for each notification that waits.
///
/// A notification may wait in a window more than once: what comes again after the dedup horizon is decided anew, and a
/// window may be open for longer. A decision that is there twice is found by its number, and a record that was decided
/// twice by its offset.
struct WindowLedger {
  private struct Member: Hashable {
    var notification: Hash128
    var window: Hash128
  }

  private struct Stay {
    /// How often the notification waits in the window.
    var count: UInt32
    /// The number of the last decision that put it there.
    var decision: UInt64
  }

  private let partition: Int32
  private let topic: String
  /// Whether windows may be open that were opened before the first decision read.
  private let mayHaveEarlier: Bool
  private var members: [Member: Stay] = [:]
  /// How many wait in each window, a notification as often as it does.
  private var windows: [Hash128: Int] = [:]
  /// Notifications whose opening lies before the first decision read.
  private(set) var earlier = 0

  init(_ partition: Int32, topic: String, mayHaveEarlier: Bool) {
    self.partition = partition
    self.topic = topic
    self.mayHaveEarlier = mayHaveEarlier
  }

  mutating func open(_ notification: Hash128, in window: Hash128, by decision: UInt64) {
    let member = Member(notification: notification, window: window)
    members[member] = Stay(count: (members[member]?.count ?? 0) + 1, decision: decision)
    windows[window, default: 0] += 1
  }

  /// Takes a notification out of a window once.
  ///
  /// - Returns: whether it waited there.
  private mutating func take(_ member: Member) -> Bool {
    guard var stay = members[member] else { return false }
    stay.count -= 1
    members[member] = stay.count > 0 ? stay : nil
    return true
  }

  mutating func withdraw(
    _ withdrawal: Decision.Withdrawal, by decision: UInt64, into findings: inout Findings
  ) {
    let member = Member(notification: withdrawal.notification, window: withdrawal.window)
    if take(member) {
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
    for notification in [closure.members, closure.expired, closure.suppressed].joined() {
      if take(Member(notification: notification, window: closure.window)) {
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
    for (member, stay) in members where member.window == closure.window {
      findings.add(
        .lostMember, topic, partition, id: "notification \(member.notification.hex)",
        "it waited in window \(closure.window.hex) (decision \(partition)-\(stay.decision)), and decision "
          + "\(partition)-\(decision) closes the window without it"
          + (stay.count > 1 ? ", \(stay.count) times" : ""))
    }
    members = members.filter { $0.key.window != closure.window }
  }
}
