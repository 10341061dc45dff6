import ArgumentParser

@main
struct Tidings: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "tidings", abstract: "Notifications on Kafka.")
}
