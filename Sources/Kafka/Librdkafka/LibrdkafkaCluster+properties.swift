/// A cluster whose clients have properties of librdkafka: a benchmark gives the same ones to a program without this module.
package protocol LibrdkafkaClients: KafkaCluster {
  /// All properties of a group's member, in the order in which they are set.
  func properties(of options: GroupConsumerOptions) throws(KafkaError) -> [(name: String, value: String)]

  /// All properties of a transactional producer, in the order in which they are set.
  func properties(of options: TransactionalProducerOptions) throws(KafkaError) -> [(
    name: String, value: String
  )]
}

extension LibrdkafkaCluster: LibrdkafkaClients {
  package func properties(
    of options: GroupConsumerOptions
  ) throws(KafkaError) -> [(name: String, value: String)] {
    try clients.properties(of: options).values
  }

  package func properties(
    of options: TransactionalProducerOptions
  ) throws(KafkaError) -> [(name: String, value: String)] {
    try clients.properties(of: options).values
  }
}

extension EmbeddedCluster: LibrdkafkaClients {
  package func properties(
    of options: GroupConsumerOptions
  ) throws(KafkaError) -> [(name: String, value: String)] {
    try cluster.properties(of: options)
  }

  package func properties(
    of options: TransactionalProducerOptions
  ) throws(KafkaError) -> [(name: String, value: String)] {
    try cluster.properties(of: options)
  }
}
