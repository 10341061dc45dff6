import CZlib
import Foundation

/// Decompresses gzip (RFC 1952) as it comes, several members in one file included.
struct GzipStream: ~Copyable {
  // zlib keeps the address of the stream.
  private let stream: UnsafeMutablePointer<z_stream>
  private var isAtMemberEnd = false

  init() throws(InputError) {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    guard czlib_inflate_init_gzip(stream) == Z_OK else { throw InputError("no memory to decompress gzip") }
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
  }

  /// Whether the input may end here: between two members.
  var isComplete: Bool { isAtMemberEnd }

  /// Decompresses what fits, and says how much of the input was taken and how much output was made.
  mutating func decompress(
    _ input: UnsafeMutableRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) throws(InputError) -> (taken: Int, made: Int) {
    if isAtMemberEnd, input.count > 0 {
      inflateReset(stream)
      isAtMemberEnd = false
    }
    let inputCount = min(input.count, Int(UInt32.max))
    let outputCount = min(output.count, Int(UInt32.max))
    stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_in = UInt32(inputCount)
    stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_out = UInt32(outputCount)
    let status = inflate(stream, Z_NO_FLUSH)
    switch status {
    case Z_STREAM_END: isAtMemberEnd = true
    // Z_BUF_ERROR: nothing could be done without more input or room, which is no error.
    case Z_OK, Z_BUF_ERROR: break
    default:
      let reason = stream.pointee.msg.map { String(cString: $0) } ?? "zlib's error \(status)"
      throw InputError("the gzip data is damaged: \(reason)")
    }
    return (inputCount - Int(stream.pointee.avail_in), outputCount - Int(stream.pointee.avail_out))
  }
}
