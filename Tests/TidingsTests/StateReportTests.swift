import Foundation
import Kafka
import Pipeline
import Testing

@testable import Processor
@testable import tidings

@Suite struct StateReportTests {
  private func input(
    _ topic: InputTopic, state: Int64?, group: Int64?, low: Int64 = 0, high: Int64 = 20
  ) -> InputAgreement {
    InputAgreement(
      topic: topic, place: TopicPartition(topic: "tidings.\(topic.name)", partition: 3), state: state,
      group: group, low: low, high: high)
  }

  private func inspection(_ inputs: [InputAgreement], members: [GroupMember]? = []) -> StateInspection {
    StateInspection(
      log: StateInspection.Log(
        place: TopicPartition(topic: "tidings.state", partition: 3), start: 0, end: 0, records: 0, bytes: 0,
        recordsSinceCheckpoint: 0, bytesSinceCheckpoint: 0, lastAppended: nil),
      defect: nil, version: nil, header: nil, partitionCount: 16, group: "tidings-processor",
      members: members, inputs: inputs, ids: 0, openWindows: 0, facts: 0, fanOuts: [], nextDue: nil,
      liveBytes: 0,
      snapshot: nil,
      now: 0)
  }

  @Test("four offsets say together whether a processor goes on, and which error it ends with otherwise")
  func verdicts() {
    let cases: [(InputAgreement, InputAgreement.Verdict, String?)] = [
      (input(.events, state: 5, group: 5), .agrees, nil),
      (input(.events, state: 5, group: nil), .groupAbsent, nil),
      (input(.events, state: nil, group: nil), .untouched, nil),
      (input(.events, state: nil, group: 5), .stateAbsent, "the consumer group stands at offset 5"),
      (input(.events, state: 7, group: 5), .differs, "stands at offset 7, the consumer group at offset 5"),
      (input(.events, state: 5, group: 5, low: 9), .lost, "is at offset 5, but the topic begins at 9"),
      (input(.events, state: 5, group: nil, low: 9), .lost, "is at offset 5, but the topic begins at 9"),
      (input(.events, state: 30, group: 30), .beyondEnd, "is at offset 30, but the topic ends at 20"),
    ]
    for (input, verdict, problem) in cases {
      #expect(input.verdict == verdict)
      #expect(input.isSound == (problem == nil))
      let text = ProcessorFault(input)?.description
      #expect((text == nil) == (problem == nil))
      if let problem, let text {
        #expect(text.contains("tidings.events [3]"))
        #expect(text.contains(problem))
        #expect(text.contains(" --partition 3`"))
      }
    }
  }

  @Test("the report names every problem with its way out, and says so where there is none")
  func report() {
    let sound = inspection([input(.events, state: 5, group: 5)]).report
    #expect(sound.contains("tidings.state [3], P = 16: no state\n"))
    #expect(sound.contains("agree, 15 to read"))
    #expect(sound.hasSuffix("A processor goes on from this state.\n"))
    let broken = inspection([
      input(.events, state: 7, group: 5), input(.routed, state: 5, group: 5, low: 9),
    ])
    #expect(broken.report.components(separatedBy: "PROBLEM: ").count == 3)
    #expect(!broken.report.contains("A processor goes on"))
    #expect(inspection([], members: nil).report.contains("does not say who is a member"))
  }

  @Test("a plan shows the offsets from which and to which it moves, and what it costs")
  func plan() {
    let plan = StateRepairPlan(
      repair: .adoptGroup, partition: 3, sequence: 8, inputs: [input(.events, state: 7, group: 5)],
      targets: [5], timerClock: nil, inputClock: nil, deletesBefore: nil, decisions: nil, costs: ["something"]
    )
    let text = plan.report(verb: "would")
    #expect(text.contains("adopt-group, partition 3: would write state record number 8"))
    #expect(text.contains("tidings.events [3]: 5 (the state's 7, the group's 5; the topic holds 0 to 20)"))
    #expect(text.contains("What it costs:\n  something\n"))
    let needless = StateRepairPlan(
      repair: .adoptState, partition: 3, sequence: 8, inputs: [input(.events, state: 5, group: 5)],
      targets: [5], timerClock: nil, inputClock: nil, deletesBefore: nil, decisions: nil, costs: [])
    #expect(needless.isNeedless)
    #expect(needless.report(verb: "would").contains("there is nothing to do"))
  }

  @Test("nothing is done without --execute, and flags that exclude each other are refused")
  func arguments() throws {
    let reset = try StateResetCommand.parse(["--partition", "3", "--to-end"])
    #expect(!reset.options.execute)
    #expect(reset.options.state.partition == 3)
    #expect(throws: (any Error).self) {
      try StateResetCommand.parse(["--partition", "3", "--to-end", "--to-beginning"])
    }
    #expect(throws: (any Error).self) { try StateAdoptGroupCommand.parse([]) }
    let clock = try StateSetClockCommand.parse(["--partition", "0", "--to", "soon", "--execute"])
    #expect(throws: CommandEnd.self) { try clock.run() }
  }

  @Test("bytes are written in the unit that suits them")
  func bytes() {
    #expect([512, 1536, 5 << 20, 3 << 30].map(\.inBytes) == ["512 B", "1.5 KiB", "5.0 MiB", "3.0 GiB"])
  }
}
