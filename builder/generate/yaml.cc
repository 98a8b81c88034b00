#include "builder/generate/yaml.h"

#include <algorithm>
#include <cctype>

#include <nlohmann/json.hpp>

#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

using Json = nlohmann::ordered_json;

// YAML 1.1 reads these as booleans or nothing.
bool IsReserved(std::string_view text) {
  constexpr std::string_view kReserved[] = {"y",   "n",    "yes",   "no",  "on",
                                            "off", "true", "false", "null"};
  return std::ranges::find(kReserved, specs::ToLower(text)) != std::end(kReserved);
}

std::string Scalar(const Json& value) {
  if (value.is_string()) {
    const std::string& text = value.get_ref<const std::string&>();
    const bool begins =
        !text.empty() && (std::isalpha(static_cast<unsigned char>(text[0])) != 0 || text[0] == '/');
    const bool plain = begins && std::ranges::all_of(text, [](char c) {
                         return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                                std::string_view("-_./").find(c) != std::string_view::npos;
                       });
    if (plain && !IsReserved(text)) return text;
  }
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool IsNested(const Json& value) { return value.is_structured() && !value.empty(); }

// A list of words on one line.
bool IsShortList(const Json& value) {
  return value.is_array() &&
         std::ranges::all_of(value, [](const Json& item) { return item.is_string(); });
}

void Write(const Json& value, std::size_t indent, std::string& text);

void WriteValue(const Json& value, std::size_t indent, std::string& text) {
  if (IsShortList(value)) {
    std::string list;
    for (const Json& item : value) {
      list +=
          (list.empty() ? "" : ", ") + item.dump(-1, ' ', false, Json::error_handler_t::replace);
    }
    text += " [" + list + "]\n";
  } else if (IsNested(value)) {
    text += '\n';
    Write(value, indent, text);
  } else {
    text += " " + Scalar(value) + "\n";
  }
}

void Write(const Json& value, std::size_t indent, std::string& text) {
  const std::string space(indent, ' ');
  if (value.is_object()) {
    for (const auto& [key, item] : value.items()) {
      text += space + Scalar(key) + ":";
      WriteValue(item, indent + 2, text);
    }
    return;
  }
  for (const Json& item : value) {
    if (!IsNested(item) || IsShortList(item)) {
      text += space + "-";
      WriteValue(item, indent + 2, text);
      continue;
    }
    // Its first line stands behind the dash.
    std::string nested;
    Write(item, indent + 2, nested);
    text += space + "- " + nested.substr(indent + 2);
  }
}

}  // namespace

std::string RenderYaml(const Json& value) {
  if (!IsNested(value)) return Scalar(value) + "\n";
  std::string text;
  Write(value, 0, text);
  return text;
}

}  // namespace imgbuild::builder
