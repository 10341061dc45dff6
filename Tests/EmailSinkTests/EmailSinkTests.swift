import Contract
import Delivery
import Foundation
import Logging
import Synchronization
import Testing

@testable import EmailSink

@Suite("the email sink")
struct EmailSinkTests {
  /// Delivers one after the other into a new Maildir; the outcomes and the files in `new`.
  private func deliver(_ deliveries: [Contract.Delivery]) async throws -> (
    outcomes: [DeliveryOutcome], files: [String]
  ) {
    let directory = try TemporaryDirectory()
    let sink = try EmailSink(
      sender: EmailMailbox("Tidings <tidings@example.org>"),
      transport: MaildirTransport(directory: directory.path, flushesToDisk: false),
      logger: Logger(label: "test"))
    var outcomes: [DeliveryOutcome] = []
    for delivery in deliveries { outcomes.append(await sink.deliver(delivery)) }
    await sink.close()
    return (outcomes, try directory.names(in: "new"))
  }

  @Test("a delivery sent twice is one mail")
  func repeated() async throws {
    let delivery = try DeliverySamples.delivery()
    let (outcomes, files) = try await deliver([delivery, delivery])
    let name = "1795218347.00112233445566778899aabbccddeeff.tidings"
    #expect(outcomes == [.delivered(detail: "new/\(name)"), .delivered(detail: "new/\(name)")])
    #expect(files == [name])
  }

  /// Keeps what it is told, or fails.
  private final class Memory: EngagementPublishing {
    struct Refusal: Error {}
    let reports = Mutex<[EngagementReport]>([])
    let isFailing: Bool

    init(isFailing: Bool = false) { self.isFailing = isFailing }

    func publish(_ report: EngagementReport) async throws {
      if isFailing { throw Refusal() }
      reports.withLock { $0.append(report) }
    }
  }

  private struct RefusingTransport: MailTransport {
    func send(_ mail: OutgoingMail) async -> MailTransportResult {
      .addressRefused(reason: "550 5.1.1 unknown")
    }
    func shutdown() async {}
  }

  @Test("an address that the server refuses is told once per delivery, letter for letter, and then buried")
  func bounced() async throws {
    let memory = Memory()
    let sink = try EmailSink(
      sender: EmailMailbox("tidings@example.org"), transport: RefusingTransport(), engagement: memory,
      logger: Logger(label: "test"))
    let delivery = try DeliverySamples.delivery(data: ["address": "U1@Example.org", "tenant": "acme"])
    #expect(await sink.deliver(delivery) == .permanent(reason: "550 5.1.1 unknown"))
    let report = try #require(memory.reports.withLock { $0 }.first)
    #expect(report.kind == .bounced && report.address == "U1@Example.org" && report.channel == .email)
    #expect(report.tenant == "acme" && report.recipient == "u1" && report.id == "\(delivery.id)-bounced")
  }

  @Test("while a refused address cannot be told, its delivery waits")
  func untold() async throws {
    let sink = try EmailSink(
      sender: EmailMailbox("tidings@example.org"), transport: RefusingTransport(),
      engagement: Memory(isFailing: true), logger: Logger(label: "test"))
    guard case .unavailable(let reason) = await sink.deliver(try DeliverySamples.delivery()) else {
      Issue.record("the delivery does not wait")
      return
    }
    #expect(reason.contains("cannot be published"))
  }

  @Test("a missing or impossible address and an unsafe id are permanent, with a reason that names them")
  func permanent() async throws {
    let (outcomes, files) = try await deliver([
      DeliverySamples.delivery(data: ["address": nil, "tenant": "acme"]),
      DeliverySamples.delivery(data: ["address": "u1@example.org\r\nBcc: x@y.z"]),
      DeliverySamples.delivery(id: "../../etc/passwd"),
    ])
    let reasons = outcomes.map { outcome in
      guard case .permanent(let reason) = outcome else { return "not permanent: \(outcome)" }
      return reason
    }
    try #require(reasons.count == 3)
    #expect(reasons[0] == "the delivery to acme/u1 has no address")
    #expect(reasons[1].contains("u1@example.org\\r\\nBcc: x@y.z"))
    #expect(reasons[2].contains("the delivery's id"))
    #expect(files == [])
  }
}
