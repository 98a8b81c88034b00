// Tokens of PEP 508 texts: what marker.cc's and requirement.cc's parsers walk over.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "specs/python/syntax_error.h"

namespace imgbuild::specs {

// Every Take* takes its token at the present position, or leaves the position and answers "" or
// false. The tokens are those of the `packaging` library, including where a word ends.
class DependencyScanner {
 public:
  // Borrows `text`.
  explicit DependencyScanner(std::string_view text) : text_(text) {}

  std::size_t position() const { return position_; }
  bool AtEnd() const { return position_ == text_.size(); }
  std::string_view Rest() const { return text_.substr(position_); }
  bool Looking(char c) const { return !AtEnd() && text_[position_] == c; }

  // Spaces and tabs.
  bool TakeSpace();
  bool Take(char c);
  // "a", "a.b-c": a name.
  std::string_view TakeIdentifier();
  bool LookingAtIdentifier() const;
  // "in", "or", ... ending where a word ends.
  bool TakeWord(std::string_view word);
  // ">=", "===", ...
  std::string_view TakeOperator();
  std::string_view TakeSpecifier();
  // Up to the next space or tab.
  std::string_view TakeUrl();
  // A marker variable, with "_" for "." and the deprecated names replaced.
  std::string TakeVariable();
  // A string in either quotes, its Python escapes resolved; nullopt if there is none. Throws
  // SyntaxError on escapes that Python refuses.
  std::optional<std::string> TakeString();

  // Throws SyntaxError: what was `expected` and what stands there instead.
  [[noreturn]] void Fail(std::string_view expected) const;

 private:
  // Whether a word begins or ends at `position`, as "\b" has it.
  bool WordBoundary(std::size_t position) const;

  std::string_view text_;
  std::size_t position_ = 0;
};

// The text between a Python literal's quotes with its escapes resolved; nullopt where Python
// refuses it, and for "\N{...}" and lone surrogates, which have no UTF-8.
std::optional<std::string> ResolvePythonEscapes(std::string_view body);

}  // namespace imgbuild::specs
