#include "specs/oci/raw_json.h"

#include <cassert>

#include <nlohmann/json.hpp>

namespace imgbuild::specs {
namespace {

// Walks over a text that is known to be JSON.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  // Passes over white space and the structural character before the next value or key; false at
  // the end of the object or array.
  bool Enter() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '}' || c == ']') return false;
      if (!IsSpace(c) && c != ',' && c != ':') return true;
      ++at_;
    }
    return false;
  }

  // The value that begins here, without what follows it.
  std::string_view Value() {
    const std::size_t begin = at_;
    if (text_[at_] == '"') {
      String();
    } else if (text_[at_] == '{' || text_[at_] == '[') {
      Nested();
    } else {
      while (at_ < text_.size() && !EndsScalar(text_[at_])) ++at_;
    }
    return text_.substr(begin, at_ - begin);
  }

 private:
  static bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
  static bool EndsScalar(char c) { return IsSpace(c) || c == ',' || c == '}' || c == ']'; }

  void String() {
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\') ++at_;
    }
    ++at_;
  }

  void Nested() {
    std::size_t depth = 0;
    do {
      const char c = text_[at_];
      if (c == '"') {
        String();
        continue;
      }
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      ++at_;
    } while (depth > 0 && at_ < text_.size());
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

// The text of a string literal.
std::string Decoded(std::string_view literal) {
  if (literal.find('\\') == std::string_view::npos) {
    return std::string(literal.substr(1, literal.size() - 2));
  }
  return nlohmann::json::parse(literal).get<std::string>();
}

// What is inside the brackets of an object or array.
std::string_view Inside(std::string_view text, char open) {
  const std::size_t begin = text.find(open);
  assert(begin != std::string_view::npos);
  return text.substr(begin + 1);
}

}  // namespace

std::vector<RawMember> RawMembers(std::string_view text) {
  std::vector<RawMember> members;
  Cursor cursor(Inside(text, '{'));
  while (cursor.Enter()) {
    std::string key = Decoded(cursor.Value());
    if (!cursor.Enter()) break;
    members.push_back({std::move(key), cursor.Value()});
  }
  return members;
}

std::vector<std::string_view> RawElements(std::string_view text) {
  std::vector<std::string_view> elements;
  Cursor cursor(Inside(text, '['));
  while (cursor.Enter()) elements.push_back(cursor.Value());
  return elements;
}

}  // namespace imgbuild::specs
