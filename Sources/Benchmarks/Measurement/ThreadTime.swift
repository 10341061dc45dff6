import Foundation

/// The processor time of this thread: what others do on the machine is not in it, except for the caches that they take.
enum ThreadTime {
  static func nanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
