#include "specs/python/marker.h"

#include <algorithm>

#include <fmt/core.h>

#include "specs/python/marker_parser.h"
#include "specs/python/name.h"
#include "specs/python/specifier.h"

namespace imgbuild::specs {
namespace {

using Item = Marker::Item;
using Operand = Marker::Operand;

std::string RenderOperand(const Operand& operand) {
  if (operand.variable) return operand.text;
  if (operand.text.find('"') == std::string::npos) return '"' + operand.text + '"';
  if (operand.text.find('\'') == std::string::npos) return '\'' + operand.text + '\'';
  std::string escaped;
  for (char c : operand.text) c == '"' ? escaped += "\\x22" : escaped += c;
  return '"' + escaped + '"';
}

std::string RenderItems(const std::vector<Item>& items, bool outermost) {
  if (items.size() == 1 && items[0].kind == Item::Kind::kGroup) {
    return RenderItems(items[0].group, outermost);
  }
  std::string text;
  for (const Item& item : items) {
    if (!text.empty()) text += ' ';
    switch (item.kind) {
      case Item::Kind::kAnd:
        text += "and";
        break;
      case Item::Kind::kOr:
        text += "or";
        break;
      case Item::Kind::kGroup:
        text += RenderItems(item.group, false);
        break;
      case Item::Kind::kComparison:
        text += RenderOperand(item.left) + ' ' + item.op + ' ' + RenderOperand(item.right);
        break;
    }
  }
  return outermost || items.size() == 1 ? text : '(' + text + ')';
}

bool AsksForExtra(const std::vector<Item>& items) {
  return std::any_of(items.begin(), items.end(), [](const Item& item) {
    return item.left.text == "extra" || item.right.text == "extra" || AsksForExtra(item.group);
  });
}

}  // namespace

MarkerEnvironment ImageEnvironment(std::string_view python, const Platform& platform) {
  MarkerEnvironment environment;
  environment.implementation_name = "cpython";
  environment.implementation_version = std::string(python);
  environment.os_name = "posix";
  environment.platform_machine = std::string(MachineName(platform.architecture));
  environment.platform_python_implementation = "CPython";
  environment.platform_system = "Linux";
  environment.python_full_version = std::string(python);
  std::optional<Version> version = Version::Parse(python);
  environment.python_version =
      version ? fmt::format("{}.{}", version->ReleaseNumber(0), version->ReleaseNumber(1))
              : std::string(python);
  environment.sys_platform = "linux";
  return environment;
}

std::variant<Marker, SyntaxError> Marker::Parse(std::string_view text) {
  try {
    DependencyScanner scanner(text);
    std::vector<Item> items = ParseMarkerItems(scanner);
    if (!scanner.AtEnd()) scanner.Fail("\"and\", \"or\" or the end of the marker");
    return Marker(std::move(items));
  } catch (const SyntaxError& error) {
    return error;
  }
}

bool Marker::MentionsExtra() const { return AsksForExtra(items_); }

std::string Marker::Render() const { return RenderItems(items_, true); }

}  // namespace imgbuild::specs
