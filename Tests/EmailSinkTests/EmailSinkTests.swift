import Contract
import Delivery
import Foundation
import Logging
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
