import Contract
import SeededTesting
import Testing

@testable import Pipeline

@Suite struct BlockTests {
  @Test("blocks that grow, shrink and are freed hold what an array holds", arguments: 0..<3 as Range<UInt64>)
  func blocks(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var pool = BlockPool(smallest: 64, doublings: 9)
    var blocks = [Block](repeating: Block(), count: 50)
    var model = [[UInt8]](repeating: [], count: 50)
    for _ in 0..<5_000 {
      let index = Int.random(in: 0..<50, using: &random)
      let bytes = (0..<Int.random(in: 0...400, using: &random)).map { UInt8(truncatingIfNeeded: $0 &* index) }
      switch Int.random(in: 0..<8, using: &random) {
      case 0:
        blocks[index].free(to: &pool)
        model[index] = []
      case 1:
        let position = Int.random(in: 0...model[index].count, using: &random)
        bytes.withUnsafeBytes { blocks[index].insert(ByteView($0), at: position, &pool) }
        model[index].insert(contentsOf: bytes, at: position)
      case 2:
        let length = Int.random(in: 0...model[index].count, using: &random)
        blocks[index].truncate(to: length)
        model[index].removeLast(model[index].count - length)
      default:
        bytes.withUnsafeBytes { blocks[index].append(ByteView($0), &pool) }
        model[index] += bytes
      }
      #expect(Array(blocks[index].view.buffer) == model[index], "seed \(seed)")
    }
    for index in blocks.indices { blocks[index].free() }
  }
}
