// Included where `vector`, `width`, `load` and `specials` are defined. All of it becomes one function, so that where it
// reads stays in a register.

// Reads a JSON text once from its beginning to its end. Whatever it does not know makes it give up.
class PlainReader {
 public:
  PlainReader(const uint8_t *bytes, size_t length) : next_(bytes), end_(bytes + length), begin_(bytes) {}

  bool read(uint32_t max_depth);

 private:
  // The next byte that is no space; 0, which no token begins with, at the end.
  uint8_t peek() {
    if (next_ != end_ && *next_ > ' ') { return *next_; }
    while (next_ != end_ && is_space(*next_)) { next_++; }
    return next_ != end_ ? *next_ : 0;
  }
  bool literal(const char *text, size_t size) {
    if (size_t(end_ - next_) < size || memcmp(next_, text, size) != 0) { return false; }
    next_ += size;
    return true;
  }
  bool digits() {
    const uint8_t *const first = next_;
    while (next_ != end_ && is_digit(*next_)) { next_++; }
    return next_ != first;
  }
  bool number();
  bool string();
  template <bool in_ascii> const uint8_t *next_special();

  const uint8_t *next_;
  const uint8_t *const end_;
  const uint8_t *const begin_;
  // Whether a string has bytes beyond ASCII.
  bool beyond_ascii_ = false;
};

// From `next_` on the first byte that a string may not hold as it is, or that ends it; or the end.
template <bool in_ascii> [[gnu::always_inline]] inline const uint8_t *PlainReader::next_special() {
  const uint8_t *position = next_;
  while (end_ - position >= width) {
    const uint32_t found = specials(load(position), in_ascii);
    if (found != 0) { return position + __builtin_ctz(found); }
    position += width;
  }
  const ptrdiff_t rest = end_ - position;
  if (rest > 0 && end_ - begin_ >= width) {
    // The last bytes of the text, without those that were looked at before.
    const uint32_t found = specials(load(end_ - width), in_ascii) >> (width - rest);
    return found != 0 ? position + __builtin_ctz(found) : end_;
  }
  while (position != end_ && *position != '"' && *position != '\\' && *position >= 0x20
         && (!in_ascii || *position < 0x80)) {
    position++;
  }
  return position;
}

// A string from its quote on.
[[gnu::always_inline]] inline bool PlainReader::string() {
  next_++;
  while (true) {
    next_ = beyond_ascii_ ? next_special<false>() : next_special<true>();
    if (next_ == end_) { return false; }
    if (*next_ == '"') {
      next_++;
      return true;
    }
    if (*next_ >= 0x80) {
      beyond_ascii_ = true;
      continue;
    }
    if (*next_ != '\\' || end_ - next_ < 2) { return false; }
    switch (next_[1]) {
      case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't': break;
      default: return false;
    }
    next_ += 2;
  }
}

[[gnu::always_inline]] inline bool PlainReader::number() {
  if (*next_ == '-') { next_++; }
  if (next_ != end_ && *next_ == '0') {
    next_++;
  } else if (!digits()) {
    return false;
  }
  if (next_ != end_ && *next_ == '.') {
    next_++;
    if (!digits()) { return false; }
  }
  if (next_ != end_ && (*next_ == 'e' || *next_ == 'E')) {
    next_++;
    if (next_ != end_ && (*next_ == '+' || *next_ == '-')) { next_++; }
    if (!digits()) { return false; }
  }
  return true;
}

// The grammar of RFC 8259, as `csimdjson_parser::walk` has it.
[[gnu::always_inline]] inline bool PlainReader::read(uint32_t max_depth) {
  const uint32_t deepest = max_depth < 64 ? max_depth : 64;
  uint32_t depth = 0;
  // What is open: a bit for each level, the innermost one lowest, 1 for an object.
  uint64_t objects = 0;
  uint8_t byte = 0;

value:
  switch (peek()) {
    case '"':
      if (!string()) { return false; }
      break;
    case '{':
      if (depth == deepest) { return false; }
      depth++;
      objects = objects << 1 | 1;
      next_++;
      if (peek() == '}') { goto close; }
      goto key;
    case '[':
      if (depth == deepest) { return false; }
      depth++;
      objects <<= 1;
      next_++;
      if (peek() == ']') { goto close; }
      goto value;
    case 't':
      if (!literal("true", 4)) { return false; }
      break;
    case 'f':
      if (!literal("false", 5)) { return false; }
      break;
    case 'n':
      if (!literal("null", 4)) { return false; }
      break;
    case '-': case '0': case '1': case '2': case '3': case '4':
    case '5': case '6': case '7': case '8': case '9':
      if (!number()) { return false; }
      break;
    default:
      return false;
  }

after_value:
  byte = peek();
  if (depth == 0) {
    return next_ == end_ && (!beyond_ascii_ || csimdjson_validate_utf8(begin_, size_t(end_ - begin_)));
  }
  if (byte == ',') {
    next_++;
    if ((objects & 1) != 0) { goto key; }
    goto value;
  }
  if (byte != ((objects & 1) != 0 ? '}' : ']')) { return false; }

close:
  next_++;
  depth--;
  objects >>= 1;
  goto after_value;

key:
  if (peek() != '"' || !string() || peek() != ':') { return false; }
  next_++;
  goto value;
}

inline bool is_plain(const uint8_t *bytes, size_t length, uint32_t max_depth) {
  return PlainReader(bytes, length).read(max_depth);
}
