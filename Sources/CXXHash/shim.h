#include <xxhash.h>

// Tables are indexed by hashes: asks for the memory at an address ahead of reading it. Any address will do.
static inline void prefetch_memory(const void *address) { __builtin_prefetch(address); }
