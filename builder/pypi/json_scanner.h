// RFC 8259: a forward scanner over JSON text that builds nothing, for pages of megabytes of which
// a fraction is wanted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace imgbuild::builder {

// The caller asks for what it expects to find next; anything else is an Error that says where.
// Nesting of skipped values is bounded. The text is borrowed.
//
//   scanner.BeginObject();
//   while (auto key = scanner.NextKey()) {
//     if (*key == "name") name = scanner.String(); else scanner.Skip();
//   }
class JsonScanner {
 public:
  explicit JsonScanner(std::string_view text);

  // The first character of the next value: '{' '[' '"' 't' 'f' 'n' '-' or a digit.
  char Peek();

  void BeginObject();
  // The next key of the innermost object, nullopt after its end. Valid until the next call.
  std::optional<std::string_view> NextKey();
  void BeginArray();
  // Whether another element follows in the innermost array.
  bool NextElement();

  // A string with escapes decoded. The view lies in the text or in a buffer that the next call of
  // String, NextKey or Skip overwrites.
  std::string_view String();
  // A non-negative whole number; nullopt (and skipped) for any other number.
  std::optional<std::uint64_t> Unsigned();
  bool Bool();
  // The value, whatever it is.
  void Skip();
  // Throws unless only white space is left.
  void ExpectEnd();

 private:
  void SkipSpace();
  char Next();
  void Expect(char c);
  void ExpectWord(std::string_view word);
  bool NextItem(char close);
  std::string_view Unescape(std::string_view raw);
  unsigned HexUnit(std::string_view raw, std::size_t at) const;
  [[noreturn]] void Fail(std::string_view expected) const;

  std::string_view text_;
  std::size_t at_ = 0;
  bool fresh_ = false;  // just after '{' or '['
  std::string unescaped_;
};

}  // namespace imgbuild::builder
