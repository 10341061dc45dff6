import Contract
import Delivery
import Foundation
import Logging

/// Sends the deliveries of the channel `email`: renders a mail and hands it to a transport.
public struct EmailSink: DeliverySink {
  private let sender: EmailMailbox
  private let transport: any MailTransport
  private let renderer: EmailRenderer
  private let engagement: (any EngagementPublishing)?
  private let unsubscribeLinks: UnsubscribeLinks?

  /// A sink that sends as `sender`; its address is also where bounces go.
  ///
  /// - Parameters:
  ///   - engagement: told of addresses that the mail server refuses for good; nil: nobody is.
  ///   - unsubscribeLinks: makes the link in each mail by which its category is unsubscribed; nil: mails have none.
  /// - Throws: an error of the templates if one of the program's own is broken.
  public init(
    sender: EmailMailbox, transport: any MailTransport, engagement: (any EngagementPublishing)? = nil,
    unsubscribeLinks: UnsubscribeLinks? = nil, logger: Logger
  ) throws {
    self.sender = sender
    self.transport = transport
    self.engagement = engagement
    self.unsubscribeLinks = unsubscribeLinks
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
    case .addressRefused(let reason): return await refused(text, of: delivery, reason: reason)
    case .permanent(let reason): return .permanent(reason: reason)
    case .unavailable(let reason): return .unavailable(reason: reason)
    }
  }

  /// Tells of an address that takes nothing, before its delivery counts as dealt with. What cannot be told is tried again
  /// with the mail, which does no harm: the server refuses it again.
  private func refused(_ address: String, of delivery: Delivery, reason: String) async -> DeliveryOutcome {
    guard let engagement else { return .permanent(reason: reason) }
    var report = EngagementReport(
      .bounced, of: delivery.id, tenant: delivery.tenant, recipient: delivery.recipient, channel: .email,
      timeMilliseconds: Int64(Date().timeIntervalSince1970 * 1000))
    report.address = address
    do {
      try await engagement.publish(report)
      return .permanent(reason: reason)
    } catch {
      return .unavailable(reason: "that an address is refused cannot be published: \(error)")
    }
  }

  /// Ends the transport, after the sends in progress.
  public func close() async { await transport.shutdown() }

  /// The mail that a delivery becomes: the same for every attempt.
  func message(_ delivery: Delivery, id: DeliveryID, to address: EmailAddress) -> EmailMessage {
    let link = unsubscribeLinks?.link(for: delivery)
    let content = renderer.content(of: delivery, unsubscribeLink: link)
    return EmailMessage(
      deliveryID: id, from: sender, to: address, subject: content.subject,
      dateMilliseconds: delivery.timeMilliseconds, category: delivery.category, text: content.text,
      html: content.html, unsubscribeLink: link)
  }
}
