import Contract
import Kafka
import Testing

@testable import Pipeline
@testable import Processor

/// What a repair costs, in words.
@Suite struct StateCostsTests {
  private func fact(_ kind: FactKind, until: Int64, _ number: UInt64) -> RememberedFact {
    RememberedFact(Fact(kind, key: Hash128(high: 0, low: number), until: until))
  }

  @Test("what recipients told for good is counted by kind, apart from what ends by itself")
  func facts() {
    #expect(ForgottenFacts().costs == [])
    var facts = ForgottenFacts()
    facts.add(fact(.throttle, until: 60_000, 1))
    facts.add(fact(.seen, until: 60_000, 2))
    #expect(facts.costs.count == 1)
    #expect(
      facts.costs.first?.contains("facts about recipients that end by themselves are forgotten: 2") == true)
    for number in 3...5 { facts.add(fact(.unsubscribed, until: .max, UInt64(number))) }
    facts.add(fact(.bounced, until: .max, 6))
    #expect(facts.costs.count == 2)
    #expect(facts.costs.first?.contains("for good are forgotten: 4 (bounced: 1, unsubscribed: 3)") == true)
  }

  private func input(state: Int64?, group: Int64?, low: Int64 = 0) -> InputAgreement {
    InputAgreement(
      topic: .events, place: TopicPartition(topic: "tidings.events", partition: 3), state: state,
      group: group,
      low: low, high: 20)
  }

  @Test(
    "where the group's offsets have expired, adopt-group has something to do only where the state cannot go on either"
  )
  func expiredGroup() {
    #expect(!StateRepairPlan.hasNothingToAdopt([input(state: 5, group: 4), input(state: 5, group: nil)]))
    #expect(StateRepairPlan.hasNothingToAdopt([input(state: 5, group: nil), input(state: nil, group: nil)]))
    // Nobody read for longer than the topic keeps records, and the group offsets.
    #expect(!StateRepairPlan.hasNothingToAdopt([input(state: 5, group: nil, low: 9)]))
    // The topic was created again since.
    #expect(!StateRepairPlan.hasNothingToAdopt([input(state: 30, group: nil)]))
  }
}
