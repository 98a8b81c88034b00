#include "specs/debian/control.h"

#include <algorithm>

#include <fmt/format.h>

#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::specs {
namespace {

constexpr std::size_t kMostFields = 1000;

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

std::string_view WithoutTrailingSpace(std::string_view line) {
  while (!line.empty() && (IsBlank(line.back()) || line.back() == '\r')) line.remove_suffix(1);
  return line;
}

// Printable ASCII but space and colon; neither "#" nor "-" first (deb822(5)).
bool IsFieldName(std::string_view name) {
  if (name.empty() || name.front() == '#' || name.front() == '-') return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return c > ' ' && c < 127 && c != ':'; });
}

bool SameName(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ToLower(a) == ToLower(b);
}

std::string WithoutIndent(std::string_view value) {
  std::string text;
  text.reserve(value.size());
  bool first = true;
  for (std::string_view line : Split(value, '\n')) {
    if (!first) {
      if (line.starts_with('#')) continue;
      text += '\n';
      if (!line.empty()) line.remove_prefix(1);
      line = WithoutTrailingSpace(line);
      if (line == ".") line = "";
    } else {
      line = WithoutTrailingSpace(line);
    }
    text += line;
    first = false;
  }
  return text;
}

}  // namespace

std::string_view ControlReader::TakeLine() {
  std::size_t end = text_.find('\n', at_);
  if (end == std::string_view::npos) end = text_.size();
  std::string_view line = text_.substr(at_, end - at_);
  at_ = end + 1;
  ++line_;
  return line;
}

std::optional<std::span<const ControlFieldView>> ControlReader::Next() {
  fields_.clear();
  while (at_ < text_.size()) {
    std::string_view line = TakeLine();
    line = WithoutTrailingSpace(line);
    if (line.empty()) {
      if (fields_.empty()) continue;
      break;
    }
    if (line.front() == '#') continue;
    AddLine(line);
  }
  if (fields_.empty()) return std::nullopt;
  return std::span<const ControlFieldView>(fields_);
}

void ControlReader::AddLine(std::string_view line) {
  if (IsBlank(line.front())) {
    if (fields_.empty()) {
      throw Error(fmt::format("{}:{}: an indented line belongs to no field", file_, line_))
          .Found(std::string(line.substr(0, 80)));
    }
    std::string_view& value = fields_.back().value;
    value = std::string_view(value.data(),
                             static_cast<std::size_t>(line.data() + line.size() - value.data()));
    return;
  }
  std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !IsFieldName(line.substr(0, colon))) {
    throw Error(fmt::format("{}:{}: the line is no field of a control file", file_, line_))
        .Found(std::string(line.substr(0, 80)))
        .Expected("\"Name: value\"");
  }
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() && IsBlank(value.front())) value.remove_prefix(1);
  fields_.push_back({line.substr(0, colon), value, line_});
}

std::optional<std::string_view> ControlStanza::Get(std::string_view name) const {
  for (const ControlField& field : fields) {
    if (SameName(field.name, name)) return field.value;
  }
  return std::nullopt;
}

void ControlStanza::Set(std::string_view name, std::string_view value) {
  for (ControlField& field : fields) {
    if (SameName(field.name, name)) {
      field.value = value;
      return;
    }
  }
  fields.push_back({std::string(name), std::string(value), 0});
}

std::vector<ControlStanza> ParseControl(std::string_view text, std::string_view file) {
  std::vector<ControlStanza> stanzas;
  ControlReader reader(text, file);
  while (auto fields = reader.Next()) {
    ControlStanza stanza;
    if (fields->size() > kMostFields) {
      throw Error(
          fmt::format("{}:{}: a stanza of {} fields", file, fields->front().line, fields->size()))
          .Expected(fmt::format("at most {}", kMostFields));
    }
    for (const ControlFieldView& field : *fields) {
      if (stanza.Get(field.name)) {
        throw Error(fmt::format("{}:{}: the field {} is given twice in one stanza", file,
                                field.line, field.name));
      }
      stanza.fields.push_back({std::string(field.name), WithoutIndent(field.value), field.line});
    }
    stanzas.push_back(std::move(stanza));
  }
  return stanzas;
}

std::string RenderControl(const std::vector<ControlStanza>& stanzas) {
  std::string text;
  for (const ControlStanza& stanza : stanzas) {
    if (!text.empty()) text += '\n';
    for (const ControlField& field : stanza.fields) {
      text += field.name + ":";
      bool first = true;
      for (std::string_view line : Split(field.value, '\n')) {
        if (first) {
          if (!line.empty()) text += fmt::format(" {}", line);
        } else {
          text += fmt::format("\n {}", line.empty() ? "." : line);
        }
        first = false;
      }
      text += '\n';
    }
  }
  return text;
}

}  // namespace imgbuild::specs
