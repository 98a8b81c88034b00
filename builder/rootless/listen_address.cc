#include "builder/rootless/listen_address.h"

#include <cctype>

#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

// Part of a longer address or name: "10.0.0.0.1".
bool Continues(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.'; }

std::string Replace(std::string line, std::string_view address) {
  for (std::size_t at = 0; (at = line.find(kAnyAddress, at)) != std::string::npos;) {
    const std::size_t end = at + kAnyAddress.size();
    if (Continues(line[at - 1]) || (end < line.size() && Continues(line[end]))) {
      at = end;
      continue;
    }
    line.replace(at, kAnyAddress.size(), address);
    at += address.size();
  }
  return line;
}

}  // namespace

std::string WithAddress(std::string_view table, std::string_view address) {
  std::string text;
  for (std::string_view line : specs::Split(table, '\n')) {
    if (!text.empty()) text += '\n';
    const bool counts = line.starts_with("exec ") || line.starts_with("env ");
    text += counts ? Replace(std::string(line), address) : std::string(line);
  }
  return text;
}

}  // namespace imgbuild::builder
