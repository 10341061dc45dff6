import CJemalloc

/// The allocator of the process: jemalloc, in place of the C library's.
///
/// Linking the library is what replaces `malloc`, and linking `CZeroedMemory` what replaces `calloc` once more; no call does.
/// Restores and windows make many small blocks that grow on the worker's thread, for which the heaps of the C library take one
/// fresh page after the other (docs/performance-experiments.md).
enum Allocator {
  /// Has pages that are not used given back to the system by a thread of the allocator, also while the process is idle.
  ///
  /// Where the library was built without such threads, pages go back as further blocks are freed: nothing else changes.
  static func returnMemoryInBackground() {
    var isOn = true
    _ = mallctl("background_thread", nil, nil, &isOn, MemoryLayout<Bool>.size)
  }
}
