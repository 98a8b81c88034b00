#include <algorithm>

#include <fmt/core.h>

#include "specs/python/marker.h"
#include "specs/python/name.h"
#include "specs/python/specifier.h"

namespace imgbuild::specs {
namespace {

using Item = Marker::Item;
using Operand = Marker::Operand;
using Value = std::variant<std::string, std::set<std::string>>;

constexpr std::string_view kVersionKeys[] = {"implementation_version", "platform_release",
                                             "python_full_version", "python_version"};

struct TextKey {
  std::string_view name;
  std::string MarkerEnvironment::*field;
};

constexpr TextKey kTextKeys[] = {
    {"implementation_name", &MarkerEnvironment::implementation_name},
    {"implementation_version", &MarkerEnvironment::implementation_version},
    {"os_name", &MarkerEnvironment::os_name},
    {"platform_machine", &MarkerEnvironment::platform_machine},
    {"platform_python_implementation", &MarkerEnvironment::platform_python_implementation},
    {"platform_release", &MarkerEnvironment::platform_release},
    {"platform_system", &MarkerEnvironment::platform_system},
    {"platform_version", &MarkerEnvironment::platform_version},
    {"python_full_version", &MarkerEnvironment::python_full_version},
    {"python_version", &MarkerEnvironment::python_version},
    {"sys_platform", &MarkerEnvironment::sys_platform}};

std::set<std::string> NormalizeAll(const std::set<std::string>& names) {
  std::set<std::string> normal;
  for (const std::string& name : names) normal.insert(NormalizeName(name));
  return normal;
}

// Throws MarkerError where there is no answer; Evaluate turns that into a value.
class Evaluation {
 public:
  Evaluation(const MarkerEnvironment& environment, const std::optional<std::string>& extra)
      : environment_(environment), extra_(extra) {}

  bool Any(const std::vector<Item>& items) const {
    bool any = false;
    bool all = true;
    for (const Item& item : items) {
      switch (item.kind) {
        case Item::Kind::kOr:
          any = any || all;
          all = true;
          break;
        case Item::Kind::kAnd:
          break;
        case Item::Kind::kGroup:
          all = Any(item.group) && all;
          break;
        case Item::Kind::kComparison:
          all = Compare(item) && all;
          break;
      }
    }
    return any || all;
  }

 private:
  Value LookUp(const std::string& key) const {
    for (const TextKey& text : kTextKeys) {
      if (text.name != key) continue;
      const std::string& value = environment_.*text.field;
      // What unreleased CPython builds call themselves is no version: "3.12.0+".
      if (key == "python_full_version" && value.ends_with('+')) return value + "local";
      return value;
    }
    if (key == "extra" && extra_) return NormalizeName(*extra_);
    if (key == "extras" && environment_.extras) return NormalizeAll(*environment_.extras);
    if (key == "dependency_groups" && environment_.dependency_groups) {
      return NormalizeAll(*environment_.dependency_groups);
    }
    throw MarkerError{fmt::format("\"{}\" is not known in this environment", key)};
  }

  // The variable's side names what is compared, and so how. Two literals: the right one is taken
  // for a variable's name, as the `packaging` library does.
  bool Compare(const Item& item) const {
    const std::string& key = item.left.variable ? item.left.text : item.right.text;
    Value left = item.left.variable ? LookUp(key) : Value(item.left.text);
    Value right = item.left.variable ? Value(item.right.text) : LookUp(key);
    const std::string* text = std::get_if<std::string>(&left);
    if (text == nullptr) {
      throw MarkerError{fmt::format("{} may only stand on the right of \"in\"", key)};
    }
    if (auto* names = std::get_if<std::set<std::string>>(&right)) {
      return CompareNames(NormalizeName(*text), item.op, *names);
    }
    return CompareTexts(*text, item.op, std::get<std::string>(right), key);
  }

  static bool CompareNames(const std::string& name, const std::string& op,
                           const std::set<std::string>& names) {
    if (op == "in") return names.contains(name);
    if (op == "not in") return !names.contains(name);
    return CompareOrdered("", op, "\n");  // a name never equals a set of names
  }

  static bool CompareTexts(const std::string& left, const std::string& op, const std::string& right,
                           const std::string& key) {
    if (std::find(std::begin(kVersionKeys), std::end(kVersionKeys), key) !=
        std::end(kVersionKeys)) {
      auto specifier = Specifier::Parse(op + right);
      if (auto* valid = std::get_if<Specifier>(&specifier)) {
        return valid->Admits(std::string_view(left));
      }
    }
    if (op == "in") return right.find(left) != std::string::npos;
    if (op == "not in") return right.find(left) == std::string::npos;
    return CompareOrdered(left, op, right);
  }

  // Texts have no order: "<=" and ">=" ask whether they are equal.
  static bool CompareOrdered(const std::string& left, const std::string& op,
                             const std::string& right) {
    if (op == "<" || op == ">") return false;
    if (op == "<=" || op == ">=" || op == "==") return left == right;
    if (op == "!=") return left != right;
    throw MarkerError{
        fmt::format("\"{}\" is not defined between \"{}\" and \"{}\"", op, left, right)};
  }

  const MarkerEnvironment& environment_;
  const std::optional<std::string>& extra_;
};

std::variant<bool, MarkerError> Run(const std::vector<Item>& items,
                                    const MarkerEnvironment& environment,
                                    const std::optional<std::string>& extra) {
  try {
    return Evaluation(environment, extra).Any(items);
  } catch (const MarkerError& error) {
    return error;
  }
}

}  // namespace

std::variant<bool, MarkerError> Marker::Evaluate(const MarkerEnvironment& environment) const {
  return Run(items_, environment, environment.extra);
}

std::variant<bool, MarkerError> Marker::Evaluate(const MarkerEnvironment& environment,
                                                 std::string_view extra) const {
  return Run(items_, environment, std::string(extra));
}

}  // namespace imgbuild::specs
