#include "builder/assemble/ignore_rules.h"

#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

// Matches one [class] at the front of `pattern` against `c`. Moves `pattern` behind the class.
// A class without end is the character "[" itself.
bool MatchClass(std::string_view& pattern, char c) {
  std::size_t at = 1;
  const bool negated = at < pattern.size() && (pattern[at] == '!' || pattern[at] == '^');
  if (negated) ++at;
  const std::size_t end = pattern.find(']', at + 1);
  if (end == std::string_view::npos) {
    pattern.remove_prefix(1);
    return c == '[';
  }
  bool found = false;
  while (at < end) {
    const char low = pattern[at];
    if (at + 2 < end && pattern[at + 1] == '-') {
      found = found || (low <= c && c <= pattern[at + 2]);
      at += 3;
    } else {
      found = found || low == c;
      ++at;
    }
  }
  pattern.remove_prefix(end + 1);
  return found != negated && c != '/';
}

bool MatchStar(std::string_view pattern, std::string_view text);

}  // namespace

bool GlobMatches(std::string_view pattern, std::string_view text) {
  while (!pattern.empty()) {
    if (pattern[0] == '*') return MatchStar(pattern, text);
    if (text.empty()) return false;
    if (pattern[0] == '[') {
      if (!MatchClass(pattern, text[0])) return false;
    } else {
      if (pattern[0] == '\\' && pattern.size() > 1) {
        pattern.remove_prefix(1);
        if (pattern[0] != text[0]) return false;
      } else if (pattern[0] == '?' ? text[0] == '/' : pattern[0] != text[0]) {
        return false;
      }
      pattern.remove_prefix(1);
    }
    text.remove_prefix(1);
  }
  return text.empty();
}

namespace {

bool MatchStar(std::string_view pattern, std::string_view text) {
  if (pattern.starts_with("**/")) {  // no directory, or any number of them
    for (std::string_view rest = text;;) {
      if (GlobMatches(pattern.substr(3), rest)) return true;
      const std::size_t slash = rest.find('/');
      if (slash == std::string_view::npos) return false;
      rest.remove_prefix(slash + 1);
    }
  }
  const bool any = pattern.starts_with("**");
  pattern.remove_prefix(any ? 2 : 1);
  while (!pattern.empty() && pattern[0] == '*') pattern.remove_prefix(1);
  for (;;) {
    if (GlobMatches(pattern, text)) return true;
    if (text.empty() || (!any && text[0] == '/')) return false;
    text.remove_prefix(1);
  }
}

// The line without what gitignore(5) does not count: a comment, spaces at the end.
std::string_view Meaningful(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with('#')) return {};
  while (line.ends_with(' ') && !line.ends_with("\\ ")) line.remove_suffix(1);
  return line;
}

}  // namespace

void IgnoreRules::Add(std::string_view text, std::string_view directory) {
  for (std::string_view line : specs::Split(text, '\n')) {
    line = Meaningful(line);
    if (line.empty()) continue;
    Rule rule;
    rule.directory = directory;
    if (line[0] == '!') {
      rule.negated = true;
      line.remove_prefix(1);
    }
    if (line.ends_with('/')) {
      rule.directories_only = true;
      line.remove_suffix(1);
    }
    rule.anchored = line.find('/') != std::string_view::npos;
    if (line.starts_with('/')) line.remove_prefix(1);
    if (line.empty()) continue;
    rule.pattern = line;
    rules_.push_back(std::move(rule));
  }
}

IgnoreRules::Verdict IgnoreRules::Judge(std::string_view path, Kind kind) const {
  for (auto rule = rules_.rbegin(); rule != rules_.rend(); ++rule) {
    if (rule->directories_only && kind != Kind::kDirectory) continue;
    std::string_view text = path;
    if (!rule->directory.empty()) {
      const std::size_t size = rule->directory.size();
      if (!path.starts_with(rule->directory) || path.size() <= size || path[size] != '/') continue;
      text.remove_prefix(size + 1);
    }
    if (!rule->anchored) text = text.substr(text.rfind('/') + 1);
    if (GlobMatches(rule->pattern, text)) {
      return rule->negated ? Verdict::kKept : Verdict::kIgnored;
    }
  }
  return Verdict::kNone;
}

}  // namespace imgbuild::builder
