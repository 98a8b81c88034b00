#include "specs/oci/json_document.h"

#include <algorithm>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "specs/base/text.h"

namespace imgbuild::specs {
namespace {

// How deep brackets nest outside strings; of a text that is no JSON, some number.
std::size_t DepthOf(std::string_view text) {
  std::size_t depth = 0;
  std::size_t most = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      most = std::max(most, ++depth);
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return most;
}

}  // namespace

nlohmann::json ParseJsonDocument(std::string_view text) {
  if (text.size() > kMaxDocument) {
    throw Error("the document is too large")
        .Found(HumanBytes(text.size()))
        .Expected("at most " + HumanBytes(kMaxDocument));
  }
  if (DepthOf(text) > kMaxDocumentDepth) {
    throw Error("the document's values are nested too deeply")
        .Expected(fmt::format("at most {} levels", kMaxDocumentDepth));
  }
  return nlohmann::json::parse(text);
}

std::string TextAt(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return "";
  return found->get<std::string>();
}

Error NotValid(std::string_view what, std::string_view problem) {
  constexpr std::size_t kShown = 200;
  std::string shown;
  for (const char c : problem.substr(0, kShown)) shown += c >= ' ' && c <= '~' ? c : '?';
  if (problem.size() > kShown) shown += "...";
  return Error(fmt::format("{} is not valid: {}", what, shown));
}

}  // namespace imgbuild::specs
