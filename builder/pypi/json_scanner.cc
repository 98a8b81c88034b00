#include "builder/pypi/json_scanner.h"

#include <cstring>
#include <utility>

#include <fmt/core.h>

#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

constexpr int kMaxDepth = 64;

void AppendUtf8(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | code >> 18);
    out += static_cast<char>(0x80 | (code >> 12 & 0x3f));
    out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

bool IsNumberChar(char c) {
  return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

}  // namespace

JsonScanner::JsonScanner(std::string_view text) : text_(text) {}

void JsonScanner::Fail(std::string_view expected) const {
  std::string found = at_ < text_.size() ? fmt::format("{:?}", text_.substr(at_, 16)) : "the end";
  throw specs::Error(fmt::format("malformed JSON at byte {}", at_))
      .Found(found)
      .Expected(std::string(expected));
}

void JsonScanner::SkipSpace() {
  while (at_ < text_.size()) {
    char c = text_[at_];
    if (c != ' ' && c != '\n' && c != '\r' && c != '\t') return;
    ++at_;
  }
}

char JsonScanner::Peek() {
  SkipSpace();
  if (at_ >= text_.size()) Fail("a value");
  return text_[at_];
}

char JsonScanner::Next() {
  char c = Peek();
  ++at_;
  return c;
}

void JsonScanner::Expect(char c) {
  if (Peek() != c) Fail(fmt::format("'{}'", c));
  ++at_;
}

void JsonScanner::ExpectWord(std::string_view word) {
  SkipSpace();
  if (!text_.substr(at_).starts_with(word)) Fail(word);
  at_ += word.size();
}

void JsonScanner::BeginObject() {
  Expect('{');
  fresh_ = true;
}

void JsonScanner::BeginArray() {
  Expect('[');
  fresh_ = true;
}

bool JsonScanner::NextItem(char close) {
  bool first = std::exchange(fresh_, false);
  if (Peek() == close) {
    ++at_;
    return false;
  }
  if (!first) Expect(',');
  return true;
}

bool JsonScanner::NextElement() { return NextItem(']'); }

std::optional<std::string_view> JsonScanner::NextKey() {
  if (!NextItem('}')) return std::nullopt;
  std::string_view key = String();
  Expect(':');
  return key;
}

std::string_view JsonScanner::String() {
  Expect('"');
  std::size_t begin = at_;
  bool escaped = false;
  while (true) {
    const void* found = std::memchr(text_.data() + at_, '"', text_.size() - at_);
    if (found == nullptr) {
      at_ = text_.size();
      Fail("the end of a string");
    }
    std::size_t end = static_cast<const char*>(found) - text_.data();
    escaped = escaped || std::memchr(text_.data() + at_, '\\', end - at_) != nullptr;
    std::size_t slashes = 0;
    while (end - slashes > begin && text_[end - slashes - 1] == '\\') ++slashes;
    at_ = end + 1;
    if (slashes % 2 == 0) {
      std::string_view raw = text_.substr(begin, end - begin);
      return escaped ? Unescape(raw) : raw;
    }
  }
}

unsigned JsonScanner::HexUnit(std::string_view raw, std::size_t at) const {
  if (at + 4 > raw.size()) Fail("four hexadecimal digits");
  unsigned unit = 0;
  for (char c : raw.substr(at, 4)) {
    unsigned digit = c >= '0' && c <= '9'   ? c - '0'
                     : c >= 'a' && c <= 'f' ? c - 'a' + 10
                     : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                            : 16;
    if (digit == 16) Fail("four hexadecimal digits");
    unit = unit * 16 + digit;
  }
  return unit;
}

std::string_view JsonScanner::Unescape(std::string_view raw) {
  static constexpr std::string_view kFrom = "\"\\/bfnrt";
  static constexpr std::string_view kTo = "\"\\/\b\f\n\r\t";
  unescaped_.clear();
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '\\') {
      unescaped_ += raw[i];
      continue;
    }
    char c = raw[++i];  // the closing quote was not escaped, so one follows
    if (std::size_t known = kFrom.find(c); known != std::string_view::npos) {
      unescaped_ += kTo[known];
      continue;
    }
    if (c != 'u') Fail("a known escape in the string before");
    std::uint32_t code = HexUnit(raw, i + 1);
    i += 4;
    bool high = code >= 0xd800 && code < 0xdc00;
    if (high && i + 2 < raw.size() && raw[i + 1] == '\\' && raw[i + 2] == 'u') {
      std::uint32_t low = HexUnit(raw, i + 3);
      if (low >= 0xdc00 && low < 0xe000) {
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        i += 6;
      }
    }
    AppendUtf8(unescaped_, code >= 0xd800 && code < 0xe000 ? 0xfffd : code);
  }
  return unescaped_;
}

std::optional<std::uint64_t> JsonScanner::Unsigned() {
  SkipSpace();
  std::size_t begin = at_;
  while (at_ < text_.size() && IsNumberChar(text_[at_])) ++at_;
  if (at_ == begin) Fail("a number");
  return specs::ParseUnsigned(text_.substr(begin, at_ - begin));
}

bool JsonScanner::Bool() {
  if (Peek() == 't') {
    ExpectWord("true");
    return true;
  }
  ExpectWord("false");
  return false;
}

void JsonScanner::Skip() {
  std::string closers;
  do {
    char c = Peek();
    if (c == '{' || c == '[') {
      if (closers.size() == kMaxDepth) Fail("less nesting");
      closers += c == '{' ? '}' : ']';
      ++at_;
      fresh_ = true;
    } else if (c == '"') {
      String();
    } else if (c == 't' || c == 'f') {
      Bool();
    } else if (c == 'n') {
      ExpectWord("null");
    } else {
      Unsigned();
    }
    while (!closers.empty() && !NextItem(closers.back())) closers.pop_back();
    if (!closers.empty() && closers.back() == '}') {
      String();
      Expect(':');
    }
  } while (!closers.empty());
}

void JsonScanner::ExpectEnd() {
  SkipSpace();
  if (at_ != text_.size()) Fail("the end");
}

}  // namespace imgbuild::builder
