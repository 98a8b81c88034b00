// Validators collect every problem and report them all at once, each with its place.
#pragma once

#include <compare>
#include <string>
#include <vector>

#include "specs/base/error.h"

namespace imgbuild::specs {

// A place in a text file. Lines and columns count from 1; 0 means that only the file is known.
struct SourcePosition {
  std::string file;
  int line = 0;
  int column = 0;

  auto operator<=>(const SourcePosition&) const = default;
  // "spec.toml:3:7", "spec.toml", or "" where nothing is known.
  std::string Render() const;
};

struct Problem {
  SourcePosition where;
  std::string message;  // what was found and what was expected
  std::string hint;     // what to do; may be empty

  auto operator<=>(const Problem&) const = default;
  // "spec.toml:3:7: message\n  hint: ..."
  std::string Render() const;
};

class Problems {
 public:
  void Add(SourcePosition where, std::string message, std::string hint = "");

  bool empty() const { return problems_.empty(); }
  const std::vector<Problem>& all() const { return problems_; }

  // Does nothing when empty. Throws an Error of `kind` that lists every problem in order of place.
  void ThrowIfAny(ErrorKind kind = ErrorKind::kUsage) const;

 private:
  std::vector<Problem> problems_;
};

}  // namespace imgbuild::specs
