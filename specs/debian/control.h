// Control stanzas (deb822(5), Debian Policy 5.1): Packages, Release and debian/control files.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace imgbuild::specs {

// A field as it stands in the text it was read from; both views borrow that text.
struct ControlFieldView {
  std::string_view name;
  // The value without white space at its ends. Lines after the first keep their line feed and
  // their leading space.
  std::string_view value;
  int line = 0;  // where the field begins, from 1
};

// Reads one stanza after the other and copies nothing. Lines that begin with # are comments; a
// carriage return before a line feed is white space. Throws Error with `file`:line where a line is
// neither a field nor a continuation.
class ControlReader {
 public:
  // Borrows `text` for its life.
  ControlReader(std::string_view text, std::string_view file) : text_(text), file_(file) {}

  // The fields of the next stanza in their order, nullopt at the end of the text. Valid until the
  // next call.
  std::optional<std::span<const ControlFieldView>> Next();

 private:
  std::string_view TakeLine();
  void AddLine(std::string_view line);

  std::string_view text_;
  std::string file_;
  std::size_t at_ = 0;
  int line_ = 0;  // of the last line taken
  std::vector<ControlFieldView> fields_;
};

struct ControlField {
  std::string name;
  std::string value;  // continuation lines without the leading space; "." lines are empty lines
  int line = 0;       // 0 where it was not read from a file

  bool operator==(const ControlField& other) const {
    return name == other.name && value == other.value;
  }
};

// One stanza that owns its text.
struct ControlStanza {
  std::vector<ControlField> fields;

  bool operator==(const ControlStanza&) const = default;

  // The value of the first field of that name, compared without case; nullopt if there is none.
  std::optional<std::string_view> Get(std::string_view name) const;
  // Replaces the field or adds it at the end.
  void Set(std::string_view name, std::string_view value);
};

// Throws Error with `file`:line for each malformed line and each field given twice.
std::vector<ControlStanza> ParseControl(std::string_view text, std::string_view file);

// "Name: value" lines, continuation lines indented by one space, an empty line between stanzas.
// ParseControl(RenderControl(stanzas)) == stanzas for what ParseControl returns.
std::string RenderControl(const std::vector<ControlStanza>& stanzas);

}  // namespace imgbuild::specs
