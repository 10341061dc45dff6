@testable import EmailSink

/// Messages and mails for the tests.
enum Samples {
  static func message(
    id: String = "d1", to: String = "to@example.org", subject: String = "subject", text: String = "text\n",
    html: String = "<p>text</p>\n", category: String = "code"
  ) throws -> EmailMessage {
    EmailMessage(
      deliveryID: try deliveryID(id),
      from: EmailMailbox(name: "Tidings", address: try EmailAddress("tidings@example.org")),
      to: try EmailAddress(to), subject: subject, dateMilliseconds: 1_795_218_347_123, category: category,
      text: text, html: html)
  }

  static func deliveryID(_ text: String) throws -> DeliveryID {
    guard let id = DeliveryID(text) else { throw InvalidSample(text: text) }
    return id
  }

  struct InvalidSample: Error { let text: String }
}
