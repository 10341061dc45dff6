#include "CSimdjson.h"

#include <simdjson.h>

#include <cstring>
#include <memory>
#include <new>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace {

constexpr size_t minimum_capacity = 16 * 1024;
// Offsets are 32 bits wide.
constexpr size_t maximum_length = size_t(1) << 30;

bool is_digit(uint8_t byte) { return byte >= '0' && byte <= '9'; }
bool is_space(uint8_t byte) { return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t'; }

// The value of four hexadecimal digits, or -1.
int32_t hex4(const uint8_t *digits) {
  int32_t value = 0;
  for (int index = 0; index < 4; index++) {
    const uint8_t byte = digits[index];
    const uint8_t lower = byte | 0x20;
    if (is_digit(byte)) {
      value = value * 16 + (byte - '0');
    } else if (lower >= 'a' && lower <= 'f') {
      value = value * 16 + (lower - 'a' + 10);
    } else {
      return -1;
    }
  }
  return value;
}

}  // namespace

struct csimdjson_parser {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> stages;
  std::unique_ptr<uint8_t[]> text;
  std::unique_ptr<uint32_t[]> closers;
  std::unique_ptr<uint32_t[]> open;
  size_t capacity = 0;
  size_t length = 0;
  uint32_t max_depth = 0;
  bool has_escapes = false;
  size_t error_offset = 0;

  bool reserve(size_t length);
  csimdjson_status walk(uint32_t deepest);
  csimdjson_status fail(csimdjson_status status, size_t offset) {
    error_offset = offset;
    return status;
  }
  csimdjson_status check_string(size_t start, size_t end);
  csimdjson_status check_number(size_t start, size_t next);
  csimdjson_status check_literal(size_t start, size_t next, const char *literal, size_t size);
  bool ends(size_t position, size_t next) const { return position == next || is_space(text[position]); }
};

bool csimdjson_parser::reserve(size_t length) {
  if (stages && length < capacity) { return true; }
  size_t wanted = capacity < minimum_capacity ? minimum_capacity : capacity;
  while (wanted <= length) { wanted *= 2; }
  // simdjson's first stage leaves up to one index a byte, and three more.
  std::unique_ptr<uint8_t[]> new_text(new (std::nothrow) uint8_t[wanted + simdjson::SIMDJSON_PADDING]());
  std::unique_ptr<uint32_t[]> new_closers(new (std::nothrow) uint32_t[wanted + 3]);
  if (!new_text || !new_closers) { return false; }
  const auto error = stages ? stages->set_capacity(wanted)
                            : simdjson::get_active_implementation()->create_dom_parser_implementation(
                                wanted, max_depth, stages);
  if (error != simdjson::SUCCESS) {
    stages.reset();
    capacity = 0;
    return false;
  }
  text = std::move(new_text);
  closers = std::move(new_closers);
  capacity = wanted;
  return true;
}

// The text between the quote at `start` and the next token at `end`: whether its escapes are right. A half of a
// surrogate pair is not: it is no character, and readers disagree about it.
csimdjson_status csimdjson_parser::check_string(size_t start, size_t end) {
  size_t position = start + 1;
  while (true) {
    const void *found = memchr(&text[position], '\\', end - position);
    if (found == nullptr) { return csimdjson_ok; }
    position = size_t(static_cast<const uint8_t *>(found) - text.get());
    switch (text[position + 1]) {
      case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't':
        position += 2;
        break;
      case 'u': {
        // Reads stay within the padding, which is zero.
        const int32_t first = hex4(&text[position + 2]);
        if (first < 0 || (first >= 0xDC00 && first < 0xE000)) {
          return fail(csimdjson_invalid_escape, position);
        }
        if (first >= 0xD800 && first < 0xDC00) {
          const bool escaped = text[position + 6] == '\\' && text[position + 7] == 'u';
          const int32_t second = escaped ? hex4(&text[position + 8]) : -1;
          if (second < 0xDC00 || second >= 0xE000) { return fail(csimdjson_invalid_escape, position); }
          position += 6;
        }
        position += 6;
        break;
      }
      default:
        return fail(csimdjson_invalid_escape, position);
    }
    if (position >= end) { return fail(csimdjson_invalid_escape, start); }
  }
}

csimdjson_status csimdjson_parser::check_number(size_t start, size_t next) {
  size_t position = start;
  if (text[position] == '-') { position++; }
  if (text[position] == '0') {
    position++;
  } else {
    if (!is_digit(text[position])) { return fail(csimdjson_invalid_number, start); }
    while (is_digit(text[position])) { position++; }
  }
  if (text[position] == '.') {
    position++;
    if (!is_digit(text[position])) { return fail(csimdjson_invalid_number, start); }
    while (is_digit(text[position])) { position++; }
  }
  if (text[position] == 'e' || text[position] == 'E') {
    position++;
    if (text[position] == '+' || text[position] == '-') { position++; }
    if (!is_digit(text[position])) { return fail(csimdjson_invalid_number, start); }
    while (is_digit(text[position])) { position++; }
  }
  return ends(position, next) ? csimdjson_ok : fail(csimdjson_invalid_number, start);
}

csimdjson_status csimdjson_parser::check_literal(
  size_t start, size_t next, const char *literal, size_t size) {
  const bool same = memcmp(&text[start], literal, size) == 0;
  return same && ends(start + size, next) ? csimdjson_ok : fail(csimdjson_invalid_literal, start);
}

// The grammar of RFC 8259 over the tokens. Behind the last token stands a zero byte, which is no token's start:
// a text that ends too early is an unexpected token there.
csimdjson_status csimdjson_parser::walk(uint32_t deepest) {
  uint32_t *const starts = stages->structural_indexes.get();
  const uint32_t count = stages->n_structural_indexes;
  starts[count] = uint32_t(length);
  uint32_t token = 0;
  uint32_t depth = 0;
  csimdjson_status status = csimdjson_ok;

value:
  switch (text[starts[token]]) {
    case '{':
      if (depth == deepest) { return fail(csimdjson_too_deep, starts[token]); }
      open[depth++] = token++;
      if (text[starts[token]] == '}') { goto close; }
      goto key;
    case '[':
      if (depth == deepest) { return fail(csimdjson_too_deep, starts[token]); }
      open[depth++] = token++;
      if (text[starts[token]] == ']') { goto close; }
      goto value;
    case '"':
      if (has_escapes) { status = check_string(starts[token], starts[token + 1]); }
      break;
    case 't':
      status = check_literal(starts[token], starts[token + 1], "true", 4);
      break;
    case 'f':
      status = check_literal(starts[token], starts[token + 1], "false", 5);
      break;
    case 'n':
      status = check_literal(starts[token], starts[token + 1], "null", 4);
      break;
    case '-': case '0': case '1': case '2': case '3': case '4':
    case '5': case '6': case '7': case '8': case '9':
      status = check_number(starts[token], starts[token + 1]);
      break;
    default:
      return fail(csimdjson_unexpected_token, starts[token]);
  }
  if (status != csimdjson_ok) { return status; }
  token++;

after_value:
  if (depth == 0) {
    return token == count ? csimdjson_ok : fail(csimdjson_unexpected_token, starts[token]);
  }
  if (text[starts[open[depth - 1]]] == '{') {
    if (text[starts[token]] == '}') { goto close; }
    if (text[starts[token]] != ',') { return fail(csimdjson_unexpected_token, starts[token]); }
    token++;
    goto key;
  }
  if (text[starts[token]] == ']') { goto close; }
  if (text[starts[token]] != ',') { return fail(csimdjson_unexpected_token, starts[token]); }
  token++;
  goto value;

key:
  if (text[starts[token]] != '"') { return fail(csimdjson_unexpected_token, starts[token]); }
  if (has_escapes) {
    status = check_string(starts[token], starts[token + 1]);
    if (status != csimdjson_ok) { return status; }
  }
  token++;
  if (text[starts[token]] != ':') { return fail(csimdjson_unexpected_token, starts[token]); }
  token++;
  goto value;

close:
  closers[open[--depth]] = token++;
  goto after_value;
}

csimdjson_parser *csimdjson_parser_create(uint32_t max_depth) {
  std::unique_ptr<csimdjson_parser> parser(new (std::nothrow) csimdjson_parser());
  if (!parser) { return nullptr; }
  parser->max_depth = max_depth < 1 ? 1 : max_depth;
  parser->open.reset(new (std::nothrow) uint32_t[parser->max_depth]);
  if (!parser->open || !parser->reserve(1)) { return nullptr; }
  return parser.release();
}

void csimdjson_parser_destroy(csimdjson_parser *parser) { delete parser; }

csimdjson_status csimdjson_parser_scan(
  csimdjson_parser *parser, const uint8_t *bytes, size_t length, uint32_t max_depth, csimdjson_tokens *tokens) {
  *tokens = csimdjson_tokens();
  if (length == 0 || bytes == nullptr) { return csimdjson_empty; }
  if (length >= maximum_length) { return csimdjson_too_large; }
  if (!parser->reserve(length)) { return csimdjson_out_of_memory; }
  memcpy(parser->text.get(), bytes, length);
  memset(parser->text.get() + length, 0, simdjson::SIMDJSON_PADDING);
  parser->length = length;
  switch (parser->stages->stage1(parser->text.get(), length, simdjson::stage1_mode::regular)) {
    case simdjson::SUCCESS: break;
    case simdjson::EMPTY: return csimdjson_empty;
    case simdjson::CAPACITY: return csimdjson_too_large;
    case simdjson::UTF8_ERROR: return csimdjson_invalid_utf8;
    case simdjson::UNCLOSED_STRING: return csimdjson_unclosed_string;
    case simdjson::UNESCAPED_CHARS: return csimdjson_control_character;
    default: return csimdjson_unexpected_token;
  }
  parser->has_escapes = memchr(parser->text.get(), '\\', length) != nullptr;
  const csimdjson_status status = parser->walk(max_depth < parser->max_depth ? max_depth : parser->max_depth);
  tokens->error_offset = parser->error_offset;
  tokens->has_error_offset = status != csimdjson_ok;
  tokens->starts = parser->stages->structural_indexes.get();
  tokens->closers = parser->closers.get();
  tokens->count = parser->stages->n_structural_indexes;
  tokens->has_escapes = parser->has_escapes;
  return status;
}

#if defined(__x86_64__)

// The same code for 16 bytes at a time, which every processor can, and for 32.
//
// `specials`: a bit for each byte that is a quote, a backslash or a control character, and `in_ascii` also for each
// that is beyond ASCII, which costs less.
namespace {
namespace sse2 {

using vector = __m128i;
constexpr ptrdiff_t width = 16;
inline vector load(const uint8_t *bytes) { return _mm_loadu_si128(reinterpret_cast<const __m128i *>(bytes)); }
inline uint32_t specials(vector bytes, bool in_ascii) {
  const vector low = in_ascii ? _mm_cmpgt_epi8(_mm_set1_epi8(0x20), bytes)
                              : _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
  const vector quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
  const vector backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
  return uint32_t(_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(low, quote), backslash)));
}

#include "plain_reader.h"

}  // namespace sse2
}  // namespace

#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)

namespace {
namespace avx2 {

using vector = __m256i;
constexpr ptrdiff_t width = 32;
inline vector load(const uint8_t *bytes) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i *>(bytes));
}
inline uint32_t specials(vector bytes, bool in_ascii) {
  const vector low = in_ascii ? _mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), bytes)
                              : _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, _mm256_set1_epi8(0x1F)), bytes);
  const vector quote = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('"'));
  const vector backslash = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\\'));
  return uint32_t(_mm256_movemask_epi8(_mm256_or_si256(_mm256_or_si256(low, quote), backslash)));
}

#include "plain_reader.h"

}  // namespace avx2
}  // namespace

#pragma clang attribute pop

bool csimdjson_is_plain(const uint8_t *bytes, size_t length, uint32_t max_depth) {
  static const bool has_avx2 = __builtin_cpu_supports("avx2");
  if (bytes == nullptr || length == 0 || length >= maximum_length) { return false; }
  return has_avx2 && length >= 32 ? avx2::is_plain(bytes, length, max_depth)
                                  : sse2::is_plain(bytes, length, max_depth);
}

#else

bool csimdjson_is_plain(const uint8_t *, size_t, uint32_t) { return false; }

#endif

bool csimdjson_validate_utf8(const uint8_t *bytes, size_t length) {
  return length == 0 || simdjson::validate_utf8(reinterpret_cast<const char *>(bytes), length);
}
