import Logging

extension LogFormat {
  /// Makes every logger of the process write lines of this format to standard error. To be called once, at
  /// the start.
  ///
  /// - Parameter level: lines of a lower level are left out.
  public func bootstrap(level: Logger.Level) {
    let format = self
    LoggingSystem.bootstrap { label in ConsoleLogHandler(label: label, format: format, level: level) }
  }
}
