#include "layers/unpack/entry_points.h"

#include <algorithm>

#include <fmt/format.h>

#include "layers/tree/path.h"
#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::layers {
namespace {

using specs::Error;

bool IsIdentifierByte(char c) {
  auto byte = static_cast<unsigned char>(c);
  return c == '_' || byte >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9');
}

// Names joined by dots.
bool IsDotted(std::string_view text) {
  for (std::string_view part : specs::Split(text, '.')) {
    if (part.empty() || !std::ranges::all_of(part, IsIdentifierByte)) return false;
    if (part.front() >= '0' && part.front() <= '9') return false;
  }
  return true;
}

ScriptEntry ParseScript(std::string_view line) {
  auto fail = [&]() -> Error {
    return std::move(Error("entry_points.txt has a script that cannot be installed")
                         .Found(std::string(line))
                         .Expected("name = module:function"));
  };
  std::size_t equals = line.find('=');
  if (equals == std::string_view::npos) throw fail();
  std::string_view name = specs::Trim(line.substr(0, equals));
  std::string_view object = line.substr(equals + 1);
  // "[extra]" behind it is allowed and means nothing at installation.
  object = specs::Trim(object.substr(0, object.find('[')));
  std::size_t colon = object.find(':');
  if (colon == std::string_view::npos) throw fail();
  ScriptEntry entry{std::string(name), std::string(specs::Trim(object.substr(0, colon))),
                    std::string(specs::Trim(object.substr(colon + 1)))};
  if (!IsCanonicalPath(name) || name.find('/') != std::string_view::npos) throw fail();
  if (!IsDotted(entry.module) || !IsDotted(entry.attribute)) throw fail();
  return entry;
}

}  // namespace

std::vector<ScriptEntry> ParseScripts(std::string_view entry_points) {
  std::vector<ScriptEntry> entries;
  bool wanted = false;
  for (std::string_view line : specs::Split(entry_points, '\n')) {
    line = specs::Trim(line);
    if (line.empty() || line.starts_with('#') || line.starts_with(';')) continue;
    if (line.starts_with('[')) {
      wanted = line == "[console_scripts]" || line == "[gui_scripts]";
    } else if (wanted) {
      entries.push_back(ParseScript(line));
    }
  }
  std::ranges::sort(entries);
  auto twice = std::ranges::adjacent_find(entries, {}, &ScriptEntry::name);
  if (twice != entries.end()) {
    throw Error(fmt::format("entry_points.txt has the script {} twice", twice->name));
  }
  return entries;
}

std::string RenderScript(const ScriptEntry& entry, std::string_view interpreter) {
  std::string_view imported = entry.attribute;
  imported = imported.substr(0, imported.find('.'));
  return fmt::format(
      "#!{}\n"
      "import sys\n\n"
      "from {} import {}\n\n"
      "if __name__ == \"__main__\":\n"
      "    sys.exit({}())\n",
      interpreter, entry.module, imported, entry.attribute);
}

std::string RewriteShebang(std::string script, std::string_view interpreter) {
  constexpr std::string_view kPlaceholder = "#!python";
  if (!script.starts_with(kPlaceholder)) return script;
  std::size_t word = std::min(script.find_first_of(" \t\r\n"), script.size());
  return script.replace(0, word, fmt::format("#!{}", interpreter));
}

}  // namespace imgbuild::layers
