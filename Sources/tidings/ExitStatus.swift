import ArgumentParser
import Audit
import Foundation
import Kafka
import MarkedYAML
import Processor
import Settings

/// What the shell learns of the end of a command.
enum ExitStatus: Int32 {
  /// Done.
  case done = 0
  /// Something failed; a message says what.
  case failed = 1
  /// Wrong usage or configuration: nothing was done.
  case usage = 2
  /// The cluster cannot be reached, or what was read changed meanwhile: the same command may succeed later (sysexits'
  /// EX_TEMPFAIL).
  case temporary = 75

  /// Tells the user of an error, and says with which status to end. Help that was asked for is no error.
  static func report(_ error: any Error) -> ExitStatus {
    switch error {
    case let end as CommandEnd:
      if let message = end.message { Terminal.error.writeLine("tidings: \(message)") }
      return end.status
    case let problems as SettingsProblems:
      Terminal.error.writeLine(problems.description)
      return .usage
    case let problems as YAMLProblems:
      Terminal.error.writeLine(problems.description)
      return .usage
    case let kafka as KafkaError:
      Terminal.error.writeLine("tidings: \(kafka)")
      return status(of: kafka)
    case ProcessorFault.kafka(let kafka, _):
      Terminal.error.writeLine("tidings: \(error)")
      return status(of: kafka)
    case is ScanFault:
      Terminal.error.writeLine("tidings: \(error)")
      return .temporary
    case let fault as AuditFault:
      Terminal.error.writeLine("tidings: \(fault)")
      return status(of: fault)
    default: break
    }
    let code = Tidings.exitCode(for: error)
    let isParsers = code == .success || code == .validationFailure
    guard isParsers || error is ExitCode else {
      Terminal.error.writeLine("tidings: \(error)")
      return .failed
    }
    let message = Tidings.fullMessage(for: error)
    if !message.isEmpty { (code == .success ? Terminal.output : .error).writeLine(message) }
    return code == .success ? .done : code == .validationFailure ? .usage : .failed
  }

  private static func status(of error: KafkaError) -> ExitStatus {
    switch error.code {
    case .invalidArgument: .usage
    case .timedOut, .transport, .allBrokersDown: .temporary
    default: error.disposition == .retry ? .temporary : .failed
    }
  }

  private static func status(of fault: AuditFault) -> ExitStatus {
    switch fault {
    case .noSuchPartition, .noTopic, .partitionCount, .recipient: .usage
    case .state: .failed
    }
  }
}

/// Ends a command with a status and, unless all has been said, a message.
struct CommandEnd: Error {
  let status: ExitStatus
  let message: String?

  init(_ status: ExitStatus, _ message: String? = nil) {
    self.status = status
    self.message = message
  }
}
