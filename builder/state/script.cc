#include "builder/state/script.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include <fmt/format.h>

#include "specs/base/digest.h"
#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

// debhelper's tools whose blocks change nothing in an image: units and init scripts are for
// systems that boot, menus and icon caches for desktops, helpers of dpkg for upgrades, modules are
// compiled when the package is unpacked, debconf is only asked.
constexpr auto kGenerators = std::to_array<std::string_view>(
    {"dh_apparmor", "dh_icons", "dh_installdeb", "dh_installdebconf", "dh_installemacsen",
     "dh_installinit", "dh_installinitramfs", "dh_installmenu", "dh_installsystemd",
     "dh_installsystemduser", "dh_installtmpfiles", "dh_installudev", "dh_makeshlibs", "dh_pypy",
     "dh_python2", "dh_python3", "dh_systemd_enable", "dh_systemd_start", "dh_usrlocal"});

constexpr std::string_view kSectionBegin = "# Automatically added by ";
constexpr std::string_view kSectionEnd = "# End automatically added section";

// Lines that do nothing whatever stands around them.
constexpr auto kIdle = std::to_array<std::string_view>(
    {"set -e", "set -eu", "set -u", "exit 0", ":", "true", "set -x"});

// Lines that only choose among others.
constexpr auto kFrame = std::to_array<std::string_view>(
    {"esac", ";;", "fi", "then", "else", "do", "done", "{", "}", "exit 1"});

// Words of which conditions on the script's own arguments consist.
constexpr auto kConditionWords = std::to_array<std::string_view>({"if",
                                                                  "case",
                                                                  "in",
                                                                  "[",
                                                                  "]",
                                                                  "||",
                                                                  "&&",
                                                                  "-o",
                                                                  "-a",
                                                                  "=",
                                                                  "==",
                                                                  "!=",
                                                                  "$1",
                                                                  "${1}",
                                                                  "then",
                                                                  "configure",
                                                                  "reconfigure",
                                                                  "upgrade",
                                                                  "install",
                                                                  "triggered",
                                                                  "abort-upgrade",
                                                                  "abort-remove",
                                                                  "abort-deconfigure",
                                                                  "*",
                                                                  ""});

// Whether the line is a condition or a branch such as "abort-upgrade|abort-remove)" on how the
// script was called, and nothing else.
bool IsCondition(std::string_view line) {
  std::string text(line);
  for (char& c : text) {
    if (c == '"' || c == '\'' || c == ';' || c == '|' || c == '(' || c == ')') c = ' ';
  }
  for (std::string_view word : specs::SplitWords(text)) {
    if (std::ranges::find(kConditionWords, word) == kConditionWords.end()) return false;
  }
  return true;
}

bool IsFrame(std::string_view line) {
  if (std::ranges::find(kFrame, line) != kFrame.end() || IsCondition(line)) return true;
  return line.starts_with("echo \"") && line.find("called with unknown argument") < 20 &&
         line.ends_with(">&2") && line.find('$') == line.rfind('$');
}

// Lines without comments, joined where a backslash continues them.
std::vector<std::string> LogicalLines(std::string_view text) {
  std::vector<std::string> lines;
  std::string line;
  for (std::string_view piece : specs::Split(text, '\n')) {
    while (piece.ends_with('\r')) piece.remove_suffix(1);
    if (line.empty() && specs::Trim(piece).starts_with('#')) {
      lines.emplace_back(specs::Trim(piece));
      continue;
    }
    if (piece.ends_with('\\')) {
      line += std::string(piece.substr(0, piece.size() - 1)) + " ";
      continue;
    }
    line += piece;
    std::vector<std::string> words;
    for (std::string_view word : specs::SplitWords(line)) words.emplace_back(word);
    lines.push_back(specs::Join(words, " "));
    line.clear();
  }
  if (!line.empty()) lines.push_back(line);
  return lines;
}

// Versions and what else moves from one upload to the next: "1.2-3~" is "V", a triplet "TRIPLET".
std::string Masked(std::string_view line) {
  std::string text(line);
  for (std::string_view triplet : {"x86_64-linux-gnu", "aarch64-linux-gnu"}) {
    for (std::size_t at; (at = text.find(triplet)) != std::string::npos;) {
      text.replace(at, triplet.size(), "TRIPLET");
    }
  }
  for (std::string_view architecture : {":amd64", ":arm64"}) {
    for (std::size_t at; (at = text.find(architecture)) != std::string::npos;) {
      text.replace(at, architecture.size(), ":ARCH");
    }
  }
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto digit = [&](std::size_t i) {
      return i < text.size() && std::isdigit(static_cast<unsigned char>(text[i]));
    };
    const auto part = [&](std::size_t i) {
      return i < text.size() && std::isalnum(static_cast<unsigned char>(text[i]));
    };
    const auto joint = [&](std::size_t i) {
      return i < text.size() && std::string_view(".+~:-").find(text[i]) != std::string_view::npos;
    };
    if (!digit(at)) {
      out += text[at++];
      continue;
    }
    std::size_t end = at;
    while (part(end)) ++end;
    bool version = end - at >= 8;
    while (joint(end) && part(end + 1)) {
      version = true;
      for (++end; part(end); ++end) {
      }
    }
    if (joint(end) && text[end] == '~') version = true, ++end;
    out += version ? "V" : text.substr(at, end - at);
    at = end;
  }
  return out;
}

std::string_view Generator(std::string_view line) {
  line.remove_prefix(kSectionBegin.size());
  return line.substr(0, line.find('/'));
}

// The call of a line, where it is "update-alternatives --install" with nothing but literals.
std::optional<Alternative> AlternativeOf(std::string_view line) {
  for (std::string_view tail : {"|| true", "||true", "2>/dev/null", "> /dev/null", ">/dev/null",
                                "|| :", ";", "1>&2", "2>&1"}) {
    if (line.ends_with(tail)) line = specs::Trim(line.substr(0, line.size() - tail.size()));
  }
  std::vector<std::string_view> found = specs::SplitWords(line);
  auto comment = std::ranges::find_if(found, [](auto word) { return word.starts_with('#'); });
  found.erase(comment, found.end());
  if (found.size() < 6 || !found[0].ends_with("update-alternatives")) return std::nullopt;
  std::vector<std::string> words;
  for (std::string_view word : std::vector(found.begin() + 1, found.end())) {
    const bool quoted = word.size() > 2 && word.front() == word.back() &&
                        (word.front() == '"' || word.front() == '\'');
    words.emplace_back(quoted ? word.substr(1, word.size() - 2) : word);
  }
  try {
    return ParseAlternative(words);
  } catch (const specs::Error&) {
    return std::nullopt;  // stays in the residue
  }
}

}  // namespace

Script ReadScript(std::string_view text) {
  Script script;
  bool generated = false;
  bool frame_only = true;
  for (const std::string& line : LogicalLines(text)) {
    if (line.starts_with(kSectionBegin)) {
      generated = std::ranges::find(kGenerators, Generator(line)) != kGenerators.end();
      if (Generator(line) == "dh_installsysusers") script.sysusers = generated = true;
      continue;
    }
    if (line.starts_with(kSectionEnd)) generated = false;
    if (generated || line.empty() || line.starts_with('#')) continue;
    if (std::ranges::find(kIdle, line) != kIdle.end()) continue;
    if (std::optional<Alternative> alternative = AlternativeOf(line)) {
      script.alternatives.push_back(std::move(*alternative));
      continue;
    }
    if (!IsFrame(line)) frame_only = false;
    script.residue.push_back(Masked(line));
  }
  if (frame_only) script.residue.clear();
  return script;
}

std::string Script::Fingerprint() const {
  return specs::HashOf(specs::Join(residue, "\n")).Hex().substr(0, 16);
}

}  // namespace imgbuild::builder
