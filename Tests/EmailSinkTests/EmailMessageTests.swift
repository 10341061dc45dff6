import Foundation
import SeededTesting
import Testing

@testable import EmailSink

@Suite("the message format")
struct EmailMessageTests {
  @Test(
    "an address that needs quoting, is not ASCII or holds a line break is refused with the reason",
    arguments: [
      "", "nobody", "@example.org", "a@", "a b@example.org", "a\r\nBcc: b@c.d@example.org", "ä@example.org",
      "a@exämple.org", "a@-example.org", "a@example..org", ".a@example.org", "a..b@example.org",
      "\"a\"@example.org",
      "a@[127.0.0.1]", "a@example.org\r\n", "a@example.org>", "a\u{0}@example.org",
      String(repeating: "a", count: 65) + "@example.org", "a@" + String(repeating: "b", count: 64) + ".org",
    ])
  func refusedAddress(_ text: String) {
    let error = #expect(throws: InvalidEmailAddress.self) { try EmailAddress(text) }
    #expect(error?.description.contains("\n") == false)
  }

  @Test(
    "a usual address is taken as it is",
    arguments: ["a@b", "first.last+tag@example.org", "u0001@mail-1.example.co.uk", "o'neil@x.org"])
  func takenAddress(_ text: String) throws {
    #expect(try EmailAddress(text).description == text)
  }

  @Test("a mailbox is read with and without a name")
  func mailbox() throws {
    #expect(try EmailMailbox("a@b.org").name == nil)
    #expect(try EmailMailbox("Tidings <a@b.org>").name == "Tidings")
    #expect(try EmailMailbox("\"Ti, dings\" <a@b.org>").name == "Ti, dings")
    #expect(throws: InvalidEmailAddress.self) { try EmailMailbox("Tidings <a@b.org") }
  }

  @Test("a delivery id that could leave its directory or its header is refused")
  func deliveryID() {
    for text in ["", "../x", "a/b", "a b", "a>", "a\n", "a.b", String(repeating: "a", count: 129)] {
      #expect(DeliveryID(text) == nil)
    }
    #expect(DeliveryID("0123456789abcdef0123456789ABCDEF") != nil)
  }

  @Test("line breaks in a subject, a name or a category add no header")
  func headerInjection() throws {
    let attack = "Hello\r\nBcc: victim@example.org\r\n\r\n<script>\u{2028}x\u{85}y\u{0}z"
    let message = EmailMessage(
      deliveryID: try #require(DeliveryID("d1")),
      from: EmailMailbox(name: attack, address: try EmailAddress("from@example.org")),
      to: try EmailAddress("to@example.org"), subject: attack, dateMilliseconds: 0, category: attack,
      text: "text", html: "html")
    let head = try #require(
      String(decoding: message.serialized(), as: UTF8.self).components(separatedBy: "\r\n\r\n").first)
    let names = head.components(separatedBy: "\r\n").filter { !$0.hasPrefix(" ") }.map {
      $0.prefix { $0 != ":" }
    }
    #expect(
      names == [
        "Date", "From", "To", "Subject", "Message-ID", "Auto-Submitted", "List-Id", "X-Tidings-Delivery",
        "X-Tidings-Category", "MIME-Version", "Content-Type",
      ])
  }

  @Test("a mail of several categories is on the list of all of them, and has no category for filters")
  func severalCategories() throws {
    let message = EmailMessage(
      deliveryID: try #require(DeliveryID("d1")),
      from: EmailMailbox(name: nil, address: try EmailAddress("from@example.org")),
      to: try EmailAddress("to@example.org"), subject: "s", dateMilliseconds: 0, category: nil, text: "text",
      html: "html")
    let text = String(decoding: message.serialized(), as: UTF8.self)
    #expect(text.contains("\r\nList-Id: <notifications.example.org>\r\n"))
    #expect(!text.contains("X-Tidings-Category"))
  }

  @Test("every retry of a delivery is the same mail, byte for byte")
  func identicalRetry() throws {
    let message = try Samples.message(subject: "Grüße", text: "a\n.b\n", html: "<p>ä</p>")
    #expect(message.serialized() == message.serialized())
    #expect(
      String(decoding: message.serialized(), as: UTF8.self).contains("\r\nMessage-ID: <d1@example.org>\r\n"))
  }

  @Test("a message is 7-bit, has CRLF line ends only and no line over 78 characters but a long address")
  func lines() throws {
    let text =
      String(repeating: "Grüße = an alle, ", count: 200) + "\r.\n..x\rFrom y \t\n"
      + String(repeating: "x", count: 500)
    let message = try Samples.message(subject: String(repeating: "Größe ", count: 60), text: text, html: text)
    let bytes = message.serialized()
    #expect(bytes.allSatisfy { $0 < 0x7f && ($0 >= 0x20 || $0 == 13 || $0 == 10) })
    let lines = String(decoding: bytes, as: UTF8.self).components(separatedBy: "\r\n")
    for line in lines {
      #expect(line.utf8.count <= 78 && !line.contains("\n") && !line.contains("\r"), "line: \(line)")
      #expect(!line.hasPrefix("."))
    }
  }

  @Test("dates agree with Foundation's over random instants")
  func dates() {
    var random = SeededGenerator.printed()
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(secondsFromGMT: 0)
    formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss '+0000'"
    for _ in 0..<500 {
      let milliseconds = Int64.random(in: -2_000_000_000_000...100_000_000_000_000, using: &random)
      let seconds = (Double(milliseconds) / 1000).rounded(.down)
      #expect(
        InternetDate.text(milliseconds: milliseconds)
          == formatter.string(from: Date(timeIntervalSince1970: seconds)))
    }
    #expect(InternetDate.text(milliseconds: .max).hasSuffix(" 9999 23:59:59 +0000"))
    #expect(InternetDate.text(milliseconds: .min).contains(" 1900 "))
  }
}
