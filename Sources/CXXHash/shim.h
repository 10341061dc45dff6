#include <stdint.h>
#include <xxhash.h>

// The library has variants for the vectors of newer processors besides the one for any, with the same results. Where it
// was built without them, there is no such symbol.
#if defined(__x86_64__) && defined(__linux__)
extern XXH64_hash_t XXH3_64bits_dispatch(const void *bytes, size_t count) __attribute__((weak));

static inline uint64_t hash_64bits(const void *bytes, size_t count) {
  return XXH3_64bits_dispatch ? XXH3_64bits_dispatch(bytes, count) : XXH3_64bits(bytes, count);
}
#else
static inline uint64_t hash_64bits(const void *bytes, size_t count) { return XXH3_64bits(bytes, count); }
#endif

// Tables are indexed by hashes: asks for the memory at an address ahead of reading it. Any address will do.
static inline void prefetch_memory(const void *address) { __builtin_prefetch(address); }
