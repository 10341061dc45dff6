#include <jemalloc/jemalloc.h>

// The flags are macros with casts, which Swift does not import.

/// Memory of one arena, past the caches of threads.
static inline int tidings_arena_flags(unsigned arena) { return MALLOCX_ARENA(arena) | MALLOCX_TCACHE_NONE; }

/// Past the caches of threads, whatever arena the memory is of.
static inline int tidings_uncached_flags(void) { return MALLOCX_TCACHE_NONE; }

/// Memory that begins with a page of 4 KiB.
static inline int tidings_page_alignment_flag(void) { return MALLOCX_LG_ALIGN(12); }
