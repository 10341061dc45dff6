import Foundation

/// A thread of its own for work that blocks, off the cooperative pool.
enum BlockingThread {
  /// Runs `body` and waits for it without blocking.
  static func run<Result: Sendable>(
    _ name: String, _ body: @escaping @Sendable () throws -> Result
  ) async throws -> Result {
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Result, any Error>) in
      let thread = Thread { continuation.resume(with: Swift.Result { try body() }) }
      thread.name = name
      thread.stackSize = 2 << 20
      thread.start()
    }
  }
}
