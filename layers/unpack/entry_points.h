// Commands that a distribution installs (packaging.python.org "Entry points specification":
// console_scripts and gui_scripts).
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <vector>

namespace imgbuild::layers {

struct ScriptEntry {
  std::string name;       // of the command: one path component
  std::string module;     // "package.module"
  std::string attribute;  // "main", "App.run"

  auto operator<=>(const ScriptEntry&) const = default;
};

// The scripts of entry_points.txt, sorted by name. Other sections are skipped. Throws Error for a
// script that cannot be one: no module:attribute, a name with a slash, a name twice.
std::vector<ScriptEntry> ParseScripts(std::string_view entry_points);

// The command's file, run by `interpreter` ("/opt/venv/bin/python").
std::string RenderScript(const ScriptEntry& entry, std::string_view interpreter);

// A script of .data/scripts: where its first line begins with "#!python" (or "#!pythonw", with
// arguments or not) the interpreter's path takes that word's place.
std::string RewriteShebang(std::string script, std::string_view interpreter);

}  // namespace imgbuild::layers
