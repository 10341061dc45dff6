import Testing

@testable import Contract

@Suite struct IdentityTests {
  @Test(
    "XXH3-128 hashes equal those of another build of xxHash (0.8.4), in every length class of the algorithm",
    arguments: [
      (0, "99aa06d3014798d86001c324468d497f"), (3, "e3b55f57945a17cf5f4299fc161c9cbb"),
      (8, "e1e4432a62217fe4cfd50c61c8bb98c1"), (16, "72950631827607e2842812cc870dcae2"),
      (100, "da95ef16fd9566f329b20ba5f03ec01e"), (200, "cb0395310643ba0edd97e9af3609d9f5"),
      (1000, "18bf41bc8229e27733ef703fb2b20ed1"),
    ])
  func vectors(length: Int, hex: String) {
    let bytes = (0..<length).map { UInt8($0 % 251) }
    let hash = bytes.withUnsafeBytes { Hash128(of: ByteView($0)) }
    #expect(hash.hex == hex)
    var buffer = OutputBuffer()
    buffer.append(hex: hash)
    #expect(buffer.view.string == hex)
  }

  private func hash(_ tenant: String, _ source: String, _ id: String, _ recipient: String) -> Hash128 {
    tenant.withByteView { tenant in
      source.withByteView { source in
        id.withByteView { id in
          recipient.withByteView {
            NotificationID.hash(tenant: tenant, source: source, id: id, recipient: $0)
          }
        }
      }
    }
  }

  @Test("no two lists of fields name the same notification, wherever the border between them lies")
  func unambiguous() {
    var seen: Set<Hash128> = []
    let text = Array("abcdef")
    for first in 0...6 {
      for second in first...6 {
        for third in second...6 {
          seen.insert(
            hash(
              String(text[..<first]), String(text[first..<second]), String(text[second..<third]),
              String(text[third...])))
        }
      }
    }
    #expect(seen.count == 84)
    #expect(hash("default", "s", "1", "u") == hash("default", "s", "1", "u"))
    #expect(hash("a", "b", "c", String(repeating: "d", count: 5_000)) != hash("a", "b", "c", "d"))
  }

  @Test("the hashes that are kept in topics and state do not change")
  func stable() {
    let notification = hash("acme", "/shop", "e1", "u1")
    #expect(notification.hex == "3b45ab0bbfdf1c8c8b57cce158b7fdc3")
    #expect(DeliveryID.single(notification, channel: .email).hex == "e1a2b768af6587d98baca9064722237c")
    #expect(DeliveryID.single(notification, channel: .inapp).hex == "7d2b59582c7c8e7c60e965db0a40187c")
    let window = WindowID.hash(
      tenant: ByteView("acme"), recipient: ByteView("u1"), channel: .email, digestKey: ByteView("orders"),
      openedMilliseconds: 1_772_353_800_500)
    #expect(window.hex == "216cd51a3f3d36a2c15128d5d411fa31")
  }

  @Test("windows differ by channel, digest key and start")
  func windows() {
    var seen: Set<Hash128> = []
    for channel in Channel.allCases {
      for key in ["a", "b"] {
        for opened in [0, 1, -1] as [Int64] {
          let id = key.withByteView {
            WindowID.hash(
              tenant: ByteView("t"), recipient: ByteView("u"), channel: channel, digestKey: $0,
              openedMilliseconds: opened)
          }
          seen.insert(id)
        }
      }
    }
    #expect(seen.count == 12)
  }

  @Test("a recipient's key is the id for the tenant default, else tenant/id, and splits into the same again")
  func recipientKey() throws {
    for (tenant, recipient, key) in [("default", "u1", "u1"), ("acme", "u1", "acme/u1"), ("ä", "ü", "ä/ü")] {
      var buffer = OutputBuffer()
      tenant.withByteView { tenant in
        recipient.withByteView { RecipientKey.append(tenant: tenant, recipient: $0, to: &buffer) }
      }
      #expect(buffer.view.string == key)
      let parts = try RecipientKey.split(buffer.view)
      #expect(parts.tenant.string == tenant)
      #expect(parts.recipient.string == recipient)
      var scratch = OutputBuffer()
      let home = RecipientKey.home(
        tenant: parts.tenant, recipient: parts.recipient, count: 64, scratch: &scratch)
      #expect(home == Murmur2.partition(ofKey: buffer.view, count: 64))
    }
  }

  @Test(
    "a key that names no recipient is refused",
    arguments: [
      ("", RejectionReason.invalidRecipient), ("a/b/c", .invalidRecipient), ("/u", .invalidTenant),
      ("a/", .emptyRecipient),
      ("default/u", .invalidTenant), ("a\n", .invalidRecipient), ("a\u{7F}/b", .invalidTenant),
    ])
  func badKeys(key: String, reason: RejectionReason) {
    key.withByteView { view in
      do throws(Rejection) {
        _ = try RecipientKey.split(view)
        Issue.record("accepted \(key)")
      } catch {
        #expect(error.reason == reason)
      }
    }
  }

  @Test("every attribute is found by its name, and no other name is one")
  func attributes() {
    for place in 0..<EventAttribute.count {
      let attribute = EventAttribute(place: place)
      let name = attribute.name
      #expect(name.withByteView { EventAttribute(name: $0) } == attribute)
      for other in [name + "x", String(name.dropLast()), name.uppercased(), "x" + name.dropFirst()] {
        let found = other.withByteView { EventAttribute(name: $0) }
        #expect(found == nil || found?.name == other)
      }
    }
    #expect(EventAttribute(name: .empty) == nil)
  }

  @Test("channels and priorities are found by their names")
  func names() {
    #expect(Channel.allCases.map(\.name) == ["email", "inapp"])
    for channel in Channel.allCases { #expect(Channel(name: channel.name) == channel) }
    for priority in Priority.allCases { #expect(Priority(name: priority.name) == priority) }
    #expect(Channel(name: "Email") == nil)
    #expect(Priority(name: "") == nil)
  }

  @Test("one byte that a key may not have is found at every place of a part of every length")
  func forbiddenBytes() {
    for length in 1...20 {
      for place in 0..<length {
        for byte in 0..<128 as Range<UInt8> {
          var part = [UInt8](repeating: UInt8(ascii: "x"), count: length)
          part[place] = byte
          let isRefused = part.withUnsafeBytes { bytes in
            do throws(Rejection) {
              try RecipientKey.check(recipient: ByteView(bytes), named: "key")
              return false
            } catch {
              return true
            }
          }
          #expect(
            isRefused == (byte < 0x20 || byte == 0x7F || byte == 0x2F), "\(byte) at \(place) of \(length)")
        }
      }
    }
  }
}
