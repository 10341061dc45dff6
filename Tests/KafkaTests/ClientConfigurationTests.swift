import Foundation
import KafkaTesting
import Testing

@testable import Kafka

@Suite("Configuration of clients")
struct ClientConfigurationTests {
  private func refusal(_ properties: [String: String], servers: String = "127.0.0.1:1") throws -> KafkaError {
    try #require(throws: KafkaError.self) {
      _ = try LibrdkafkaCluster(
        ClientConfiguration(bootstrapServers: servers, properties: properties, logger: .silent))
    }
  }

  @Test("a property that librdkafka does not know is refused by its name")
  func unknownProperty() throws {
    let error = try refusal(["security.protocl": "SSL"])
    #expect(error.code == .invalidArgument)
    #expect(error.message.contains("kafka.security.protocl"))
  }

  @Test("a value that librdkafka cannot read is refused with the name of its property")
  func wrongValue() throws {
    #expect(try refusal(["socket.timeout.ms": "soon"]).message.contains("kafka.socket.timeout.ms"))
  }

  @Test("a property that the design fixes cannot be set", arguments: ClientProperties.fixed.keys.sorted())
  func fixedProperty(name: String) throws {
    let error = try refusal([name: "1"])
    #expect(error.message.contains("kafka.\(name) cannot be set: "))
  }

  @Test("what is refused of a property is said without a cluster")
  func refusals() throws {
    #expect(ClientConfiguration.refusal(of: "client.id", value: "x") == "cannot be set: it is fixed")
    let unknown = try #require(ClientConfiguration.refusal(of: "foo.bar", value: "1"))
    #expect(unknown.hasPrefix("is refused by librdkafka: ") && unknown.contains("foo.bar"))
    #expect(ClientConfiguration.refusal(of: "socket.timeout.ms", value: "soon") != nil)
    #expect(ClientConfiguration.refusal(of: "socket.timeout.ms", value: "1000") == nil)
    #expect(ClientConfiguration.refusal(of: "sasl.password", value: "s3cret") == nil)
  }

  @Test("a member fetches by its threshold, and what the user sets goes before")
  func fetchThreshold() throws {
    func properties(_ user: [String: String]) throws -> [String: String] {
      let cluster = try LibrdkafkaCluster(
        ClientConfiguration(bootstrapServers: "127.0.0.1:1", properties: user, logger: .silent))
      let options = GroupConsumerOptions(groupID: "g", offsetReset: .error, fetchThreshold: .batch)
      let all = try cluster.properties(of: options)
      #expect(Set(all.map(\.name)).count == all.count)
      return Dictionary(all.filter { $0.name.hasPrefix("fetch.") }) { $1 }
    }
    #expect(try properties([:]) == ["fetch.min.bytes": "65536", "fetch.wait.max.ms": "10"])
    #expect(try properties(["fetch.min.bytes": "1"]) == ["fetch.min.bytes": "1", "fetch.wait.max.ms": "10"])
    let both = ["fetch.min.bytes": "1000", "fetch.wait.max.ms": "40"]
    #expect(try properties(both) == both)
    // Few records do not wait as long as a user lets an idle fetch wait.
    #expect(try properties(["fetch.wait.max.ms": "500"]) == ["fetch.wait.max.ms": "500"])
  }

  @Test("a member fetches as far ahead as it says, and what the user sets goes before")
  func readAhead() throws {
    func properties(_ user: [String: String]) throws -> [String: String] {
      let cluster = try LibrdkafkaCluster(
        ClientConfiguration(bootstrapServers: "127.0.0.1:1", properties: user, logger: .silent))
      let options = GroupConsumerOptions(
        groupID: "g", offsetReset: .error, readAhead: ReadAhead(messages: 7, partitionBytes: 99))
      let all = try cluster.properties(of: options)
      #expect(Set(all.map(\.name)).count == all.count)
      let names = ["queued.min.messages", "fetch.message.max.bytes", "max.partition.fetch.bytes"]
      return Dictionary(all.filter { names.contains($0.name) }) { $1 }
    }
    #expect(try properties([:]) == ["queued.min.messages": "7", "fetch.message.max.bytes": "99"])
    let set = ["queued.min.messages": "8", "max.partition.fetch.bytes": "100"]
    #expect(try properties(set) == set)
    // From followers it is fetched as far ahead as librdkafka does by itself.
    #expect(try properties(["client.rack": "a"]).isEmpty == FetchReminder.isNeeded)
    #expect(
      try properties(["fetch.message.max.bytes": "100"])
        == ["queued.min.messages": "7", "fetch.message.max.bytes": "100"])
  }

  @Test("no bootstrap servers at all is said so")
  func noServers() throws {
    #expect(try refusal([:], servers: "").message.contains("kafka.bootstrap.servers"))
  }

  @Test("properties that contradict one another are refused when a client is made")
  func contradiction() throws {
    let cluster = try LibrdkafkaCluster(
      ClientConfiguration(bootstrapServers: "127.0.0.1:1", properties: ["acks": "1"], logger: .silent))
    let error = try #require(throws: KafkaError.self) {
      _ = try cluster.makeIdempotentProducer(IdempotentProducerOptions(topics: ["t"]))
    }
    #expect(error.message.contains("acks"))
  }

  @Test("a name that is none of a topic is refused")
  func topicName() throws {
    let cluster = try LibrdkafkaCluster(ClientConfiguration(bootstrapServers: "127.0.0.1:1", logger: .silent))
    let error = try #require(throws: KafkaError.self) {
      _ = try cluster.makeLogReader(LogReaderOptions(topics: ["a", ""], isolation: .readCommitted))
    }
    #expect(error.code == .invalidArgument)
  }

  @Test("without a broker the log says so once for all clients, and names the property to check")
  func noBroker() throws {
    let (logger, log) = CapturedLog.make()
    // Port 1 of the loopback interface refuses connections.
    let cluster = try LibrdkafkaCluster(
      ClientConfiguration(
        bootstrapServers: "127.0.0.1:1",
        properties: ["reconnect.backoff.ms": "10", "reconnect.backoff.max.ms": "20"], logger: logger))
    let producer = try cluster.makeTransactionalProducer(
      TransactionalProducerOptions(transactionalID: "t", topics: ["t"]))
    let consumer = try cluster.makeGroupConsumer(GroupConsumerOptions(groupID: "g", offsetReset: .earliest))
    let error = try #require(throws: KafkaError.self) {
      try producer.initTransactions(timeout: .milliseconds(1500))
    }
    #expect(error.disposition == .retry)
    #expect(throws: KafkaError.self) { try cluster.admin.topics(timeout: .milliseconds(500)) }
    try consumer.close()
    #expect(log.all.count == 1, "\(log.all)")
    let line = try #require(log.all.first)
    #expect(line.hasPrefix("warning: no broker reachable at 127.0.0.1:1"))
    #expect(line.contains("Connection refused") && line.contains("kafka.bootstrap.servers"))
  }
}
