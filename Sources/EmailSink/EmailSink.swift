import Contract
import Delivery
import Logging

/// Sends the deliveries of the channel `email`: renders a mail and hands it to a transport.
public struct EmailSink: DeliverySink {
  private let sender: EmailMailbox
  private let transport: any MailTransport
  private let renderer: EmailRenderer

  /// A sink that sends as `sender`; its address is also where bounces go.
  ///
  /// - Throws: an error of the templates if one of the program's own is broken.
  public init(sender: EmailMailbox, transport: any MailTransport, logger: Logger) throws {
    self.sender = sender
    self.transport = transport
    renderer = try EmailRenderer(logger: logger)
  }

  /// Sends one mail. A missing or impossible address is permanent and says what is wrong with it.
  public func deliver(_ delivery: Delivery) async -> DeliveryOutcome {
    guard let id = DeliveryID(delivery.id) else {
      return .permanent(reason: "the delivery's id is not 1 to 64 letters, digits, hyphens and underscores")
    }
    guard let text = delivery.address else {
      return .permanent(reason: "the delivery to \(delivery.recipientKey) has no address")
    }
    let address: EmailAddress
    do throws(InvalidEmailAddress) {
      address = try EmailAddress(text)
    } catch {
      return .permanent(reason: error.description)
    }
    switch await transport.send(OutgoingMail(message(delivery, id: id, to: address))) {
    case .sent(let detail): return .delivered(detail: detail)
    case .transient(let reason): return .transient(reason: reason)
    case .permanent(let reason): return .permanent(reason: reason)
    case .unavailable(let reason): return .unavailable(reason: reason)
    }
  }

  /// Ends the transport, after the sends in progress.
  public func close() async { await transport.shutdown() }

  /// The mail that a delivery becomes: the same for every attempt.
  func message(_ delivery: Delivery, id: DeliveryID, to address: EmailAddress) -> EmailMessage {
    let content = renderer.content(of: delivery)
    return EmailMessage(
      deliveryID: id, from: sender, to: address, subject: content.subject,
      dateMilliseconds: delivery.timeMilliseconds, category: delivery.category, text: content.text,
      html: content.html)
  }
}
