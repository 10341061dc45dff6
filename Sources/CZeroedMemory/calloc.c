#include <errno.h>
#include <jemalloc/jemalloc.h>
#include <stddef.h>
#include <string.h>

// Up to here, zeroes are written. Larger blocks are seldom asked for again and again.
static const size_t largest_written = 1 << 20;

/// `calloc` (C11, §7.22.3.2) of the whole process. jemalloc has a block of 16 KiB or more zeroed by the system, which takes its
/// pages away and gives a fresh one at the first touch of each: worth it for large blocks of which little is used. But lz4 asks
/// for 64 KiB of zeroes for every batch that librdkafka compresses, some hundred times a second, and every time all
/// processors of the process have to forget those pages (docs/performance-experiments.md).
void *calloc(size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    errno = ENOMEM;
    return NULL;
  }
  // Not `malloc`: compilers make a call of `calloc` of it and what follows. jemalloc has no block of no bytes.
  void *block = mallocx(bytes > 0 ? bytes : 1, bytes > largest_written ? MALLOCX_ZERO : 0);
  if (block == NULL) {
    errno = ENOMEM;
  } else if (bytes <= largest_written) {
    memset(block, 0, bytes);
  }
  return block;
}
