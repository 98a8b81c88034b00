// Environment markers (PEP 508 "Environment Markers"), evaluated as the `packaging` library does.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "specs/oci/platform.h"
#include "specs/python/syntax_error.h"

namespace imgbuild::specs {

// What markers ask about an interpreter and its machine.
struct MarkerEnvironment {
  std::string implementation_name;
  std::string implementation_version;
  std::string os_name;
  std::string platform_machine;
  std::string platform_python_implementation;
  std::string platform_release;
  std::string platform_system;
  std::string platform_version;
  std::string python_full_version;
  std::string python_version;
  std::string sys_platform;
  std::optional<std::string> extra = "";                   // nullopt: asking for it is an error
  std::optional<std::set<std::string>> extras;             // lock files only (PEP 751)
  std::optional<std::set<std::string>> dependency_groups;  // lock files only (PEP 751)

  bool operator==(const MarkerEnvironment&) const = default;
};

// CPython `python` ("3.11.2", the full version) on Linux. platform_release and platform_version,
// which belong to the kernel that will run the image, are empty.
MarkerEnvironment ImageEnvironment(std::string_view python, const Platform& platform);

// A marker that cannot be evaluated: `message` says why ("\"~=\" is not defined for os_name").
struct MarkerError {
  std::string message;
  bool operator==(const MarkerError&) const = default;
};

class [[nodiscard]] Marker {
 public:
  static std::variant<Marker, SyntaxError> Parse(std::string_view text);

  // Every comparison is evaluated, so an undefined one is an error wherever it stands.
  std::variant<bool, MarkerError> Evaluate(const MarkerEnvironment& environment) const;
  // The same with `extra` (any spelling) in place of environment.extra.
  std::variant<bool, MarkerError> Evaluate(const MarkerEnvironment& environment,
                                           std::string_view extra) const;

  // Whether `extra` is asked for anywhere: without it, one evaluation serves all extras.
  bool MentionsExtra() const;

  // Normalised: double quotes, one space around operators, no needless parentheses.
  std::string Render() const;
  friend bool operator==(const Marker& a, const Marker& b) { return a.Render() == b.Render(); }

  // One side of a comparison.
  struct Operand {
    bool variable = false;
    std::string text;  // the variable's name with "_", or the literal
  };
  // The expression in the order it was written; a comparison, or a group of such between its
  // parentheses. Public for the parser; use Evaluate and Render.
  struct Item {
    enum class Kind { kComparison, kGroup, kAnd, kOr } kind = Kind::kComparison;
    Operand left;
    std::string op;
    Operand right;
    std::vector<Item> group;
  };

  explicit Marker(std::vector<Item> items) : items_(std::move(items)) {}

 private:
  std::vector<Item> items_;
};

}  // namespace imgbuild::specs
