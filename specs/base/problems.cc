#include "specs/base/problems.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

namespace imgbuild::specs {

std::string SourcePosition::Render() const {
  if (file.empty()) return "";
  if (line == 0) return file;
  return fmt::format("{}:{}:{}", file, line, column);
}

std::string Problem::Render() const {
  std::string place = where.Render();
  std::string text = place.empty() ? message : place + ": " + message;
  if (!hint.empty()) text += "\n  hint: " + hint;
  return text;
}

void Problems::Add(SourcePosition where, std::string message, std::string hint) {
  problems_.push_back({std::move(where), std::move(message), std::move(hint)});
}

void Problems::ThrowIfAny(ErrorKind kind) const {
  if (problems_.empty()) return;
  std::vector<Problem> sorted = problems_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Problem& a, const Problem& b) { return a.where < b.where; });
  std::string text;
  for (const Problem& problem : sorted) {
    if (!text.empty()) text += '\n';
    text += problem.Render();
  }
  throw Error(kind, std::move(text));
}

}  // namespace imgbuild::specs
