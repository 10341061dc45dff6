import Inbox
import Operations

extension InboxConsumer {
  /// Adds the readiness checks of the inbox's consumer.
  func addChecks(to health: HealthState) {
    health.add("partitions", for: .readiness) { [self] in
      counters.isAssigned ? .passing : .failing(reason: "the group has given no partitions yet")
    }
  }
}
