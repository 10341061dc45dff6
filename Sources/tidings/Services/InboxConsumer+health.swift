import Inbox
import Operations

extension InboxConsumer {
  /// Adds the checks of the inbox's consumer.
  func addChecks(to health: HealthState) {
    health.watch("consumer") { [self] in silence }
    health.add("partitions", for: .readiness) { [self] in
      counters.isAssigned ? .passing : .failing(reason: "the group has given no partitions yet")
    }
  }
}
