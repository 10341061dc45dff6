#include <zlib.h>

// inflateInit2 is a macro that Swift does not see. 15 is the largest window, and 16 more means gzip (RFC 1952).
static inline int czlib_inflate_init_gzip(z_stream *stream) { return inflateInit2(stream, 15 + 16); }
