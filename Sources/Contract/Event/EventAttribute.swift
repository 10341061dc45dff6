/// The context attributes that Tidings reads: those of CloudEvents 1.0 and its own extensions.
enum EventAttribute: Int, CaseIterable {
  case specversion, id, source, type, subject, time, datacontenttype, dataschema
  case tenant, recipient, recipients, audience, actor, category, priority, expirytime, collapsekey, retracts
  case traceparent, tracestate

  /// The name in structured mode; in binary mode with `ce_` before it.
  var literal: StaticString {
    switch self {
    case .specversion: "specversion"
    case .id: "id"
    case .source: "source"
    case .type: "type"
    case .subject: "subject"
    case .time: "time"
    case .datacontenttype: "datacontenttype"
    case .dataschema: "dataschema"
    case .tenant: "tenant"
    case .recipient: "recipient"
    case .recipients: "recipients"
    case .audience: "audience"
    case .actor: "actor"
    case .category: "category"
    case .priority: "priority"
    case .expirytime: "expirytime"
    case .collapsekey: "collapsekey"
    case .retracts: "retracts"
    case .traceparent: "traceparent"
    case .tracestate: "tracestate"
    }
  }

  /// The attribute of that name; nil for an extension that Tidings does not know.
  init?(name: ByteView) {
    let candidate: EventAttribute
    switch (name.count, name.count > 2 ? name[2] : 0) {
    case (2, _): candidate = .id
    case (4, UInt8(ascii: "p")): candidate = .type
    case (4, UInt8(ascii: "m")): candidate = .time
    case (5, _): candidate = .actor
    case (6, UInt8(ascii: "u")): candidate = .source
    case (6, UInt8(ascii: "n")): candidate = .tenant
    case (7, _): candidate = .subject
    case (8, UInt8(ascii: "t")): candidate = name[0] == UInt8(ascii: "c") ? .category : .retracts
    case (8, UInt8(ascii: "i")): candidate = .priority
    case (8, UInt8(ascii: "d")): candidate = .audience
    case (9, _): candidate = .recipient
    case (10, UInt8(ascii: "c")): candidate = .recipients
    case (10, UInt8(ascii: "t")): candidate = .dataschema
    case (10, UInt8(ascii: "p")): candidate = .expirytime
    case (10, UInt8(ascii: "a")): candidate = .tracestate
    case (11, UInt8(ascii: "e")): candidate = .specversion
    case (11, UInt8(ascii: "l")): candidate = .collapsekey
    case (11, UInt8(ascii: "a")): candidate = .traceparent
    case (15, _): candidate = .datacontenttype
    default: return nil
    }
    guard name.equals(candidate.literal) else { return nil }
    self = candidate
  }

  /// Whether CloudEvents itself defines the attribute, as a string: JSON numbers and truth values are refused then.
  var isCore: Bool { rawValue <= EventAttribute.dataschema.rawValue }
}
