import CLibrdkafka

/// Owns the topic objects of a client, by the index that records name their topics with.
///
/// While it holds an object, librdkafka uses the same address for that topic in every message, so that a comparison
/// of pointers finds the index. It must be dropped before its client.
struct TopicTable: ~Copyable {
  let names: [String]
  private let handles: UnsafeMutableBufferPointer<OpaquePointer>

  /// - Throws: ``KafkaError/Code/invalidArgument`` when a name is not one.
  init(_ names: [String], client: OpaquePointer) throws(KafkaError) {
    let handles = UnsafeMutableBufferPointer<OpaquePointer>.allocate(capacity: names.count)
    for (index, name) in names.enumerated() {
      guard !name.isEmpty, let handle = rd_kafka_topic_new(client, name, nil) else {
        for created in handles[..<index] { rd_kafka_topic_destroy(created) }
        handles.deallocate()
        throw KafkaError(.invalidArgument, message: "\"\(name)\" is no name of a topic")
      }
      handles.initializeElement(at: index, to: handle)
    }
    self.names = names
    self.handles = handles
  }

  deinit {
    for handle in handles { rd_kafka_topic_destroy(handle) }
    handles.deallocate()
  }

  /// The topic object at an index; nil outside.
  func handle(at index: Int) -> OpaquePointer? {
    handles.indices.contains(index) ? handles[index] : nil
  }

  /// The index of a message's topic object; nil for a topic of an earlier subscription.
  func index(of topic: OpaquePointer?) -> Int? {
    for index in handles.indices where handles[index] == topic { return index }
    return nil
  }
}
