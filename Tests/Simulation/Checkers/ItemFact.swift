import Contract

/// What an item of a delivery has to say of its event.
struct ItemFact: Equatable {
  var source: String
  var id: String
  var type: String
  var actor: String?
  var subject: String?
  /// CloudEvents `time`, in milliseconds since the epoch.
  var time: Int64?
  /// When the event was appended where it was decided, in milliseconds since the epoch.
  var accepted: Int64
  /// What its data say: `{"n":1}`.
  var number: Int
  var title: String

  init(_ fact: EventFact, accepted: Int64) {
    source = fact.source
    id = fact.id
    type = fact.type
    actor = fact.actor
    subject = fact.subject
    time = fact.time
    self.accepted = accepted
    number = fact.number
    title = CatalogSpec.title(of: fact.type)
  }

  /// As a delivery has it; the number is -1 where the data are something else.
  init(_ item: Delivery.Item) {
    source = item.source
    id = item.id
    type = item.type
    actor = item.actor
    subject = item.subject
    time = item.time.flatMap { text in text.withByteView { RFC3339.milliseconds(of: $0) } }
    accepted = item.acceptedAtMilliseconds
    number = -1
    if case .object(let members)? = item.data, members.count == 1, case .number(let text)? = members["n"] {
      number = Int(text) ?? -1
    }
    title = item.title
  }
}
