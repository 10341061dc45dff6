#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/// `calloc` (C11, §7.22.3.2) of the whole process: `malloc`, and zeroes that are written. jemalloc has a block of 16 KiB or more
/// zeroed by the system, which takes its pages away and gives a fresh one at the first touch of each: worth it for large
/// blocks of which little is used. But lz4 asks for 64 KiB of zeroes for every batch that librdkafka compresses, some hundred
/// times a second, and every time all processors of the process have to forget those pages
/// (docs/performance-experiments.md).
void *calloc(size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    errno = ENOMEM;
    return NULL;
  }
  void *block = malloc(bytes);
  // Compilers make a call of `calloc` of `malloc` and `memset`.
  __asm__ volatile("" : "+r"(block));
  return block == NULL ? NULL : memset(block, 0, bytes);
}
