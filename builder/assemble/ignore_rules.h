// Patterns that keep files out of an image (gitignore(5), "PATTERN FORMAT").
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace imgbuild::builder {

class IgnoreRules {
 public:
  // Adds the lines of a .gitignore that lies in `directory` ("" or "sub/dir", no slashes at its
  // ends). Later rules win over earlier ones.
  void Add(std::string_view text, std::string_view directory);

  // What the last rule that matches says. `path` is relative to the top, without slash at either
  // end. Callers do not descend into ignored directories, so nothing below can be re-included.
  enum class Kind { kFile, kDirectory };
  enum class Verdict { kNone, kIgnored, kKept };
  Verdict Judge(std::string_view path, Kind kind) const;

 private:
  struct Rule {
    std::string directory;
    std::string pattern;
    bool negated = false;
    bool directories_only = false;
    bool anchored = false;  // has a slash before its end: matched against the whole path
  };
  std::vector<Rule> rules_;
};

// A glob over path text: * and ? stop at slashes, ** does not, [a-z] classes, \ escapes.
bool GlobMatches(std::string_view pattern, std::string_view text);

}  // namespace imgbuild::builder
