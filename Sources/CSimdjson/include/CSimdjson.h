// A C face of simdjson: validates a JSON text and says where its tokens are.
//
// simdjson's first stage (SIMD) finds the tokens and checks UTF-8; a walk over them checks the grammar and notes
// where each object and array closes. Nothing is converted: numbers of any size are valid JSON and stay text, and
// the raw bytes of a value can be cut out, which simdjson's DOM does not offer.
//
// Measured on events of 760 bytes in structured mode (simdjson 3.0.1, icelake kernels, best of three): this 250 ns,
// the DOM 318 ns without a slice of `data`, On-Demand with every value visited, so that all is validated, 665 ns.

#ifndef CSIMDJSON_H
#define CSIMDJSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// What a text was found to be.
typedef enum csimdjson_status {
  csimdjson_ok = 0,
  csimdjson_empty,
  csimdjson_too_large,
  csimdjson_too_deep,
  csimdjson_invalid_utf8,
  csimdjson_unclosed_string,
  csimdjson_control_character,
  csimdjson_invalid_escape,
  csimdjson_invalid_number,
  csimdjson_invalid_literal,
  csimdjson_unexpected_token,
  csimdjson_out_of_memory,
} csimdjson_status;

// The tokens of a valid text. The pointers belong to the parser and hold until its next call.
typedef struct csimdjson_tokens {
  // Where each token begins; one more entry, the length of the text, follows the last.
  const uint32_t *starts;
  // For the token of an opening bracket: the index of the token that closes it. Undefined for others.
  const uint32_t *closers;
  size_t count;
  // Whether there is a backslash anywhere: if not, all strings stand as they are.
  bool has_escapes;
  // After a failure: the byte near which it was found, when `has_error_offset`.
  size_t error_offset;
  bool has_error_offset;
} csimdjson_tokens;

typedef struct csimdjson_parser csimdjson_parser;

// A parser for texts that nest at most `max_depth` objects and arrays; NULL when there is no memory.
csimdjson_parser *csimdjson_parser_create(uint32_t max_depth);
void csimdjson_parser_destroy(csimdjson_parser *parser);

// Validates `length` bytes as one JSON value that nests at most `max_depth` objects and arrays, and no more than the
// parser's own number. The bytes need no padding: they are copied to a padded buffer.
csimdjson_status csimdjson_parser_scan(
  csimdjson_parser *parser, const uint8_t *bytes, size_t length, uint32_t max_depth, csimdjson_tokens *tokens);

// Whether the bytes are one JSON value as `csimdjson_parser_scan` accepts it: found out in one pass over them where
// they are, which takes less than half of the work, but gives no tokens. False says nothing: what is rare (escapes by
// number, nesting beyond 64, another processor than x86-64) is left to the scan, and so is what is wrong with a text.
bool csimdjson_is_plain(const uint8_t *bytes, size_t length, uint32_t max_depth);

// Whether the bytes are UTF-8.
bool csimdjson_validate_utf8(const uint8_t *bytes, size_t length);

#ifdef __cplusplus
}
#endif

#endif
