#include "builder/registry/pages.h"

#include <set>

#include <fmt/format.h>

#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/base/url.h"
#include "specs/oci/json_document.h"

namespace imgbuild::builder {
namespace {

constexpr std::size_t kMostPages = 10'000;

bool IsNext(std::string_view parameters) {
  for (std::string_view parameter : specs::Split(parameters, ';')) {
    const std::string text = specs::ToLower(specs::Trim(parameter));
    if (text == R"(rel="next")" || text == "rel=next") return true;
  }
  return false;
}

}  // namespace

std::string NextLink(std::string_view header) {
  while (true) {
    const std::size_t begin = header.find('<');
    const std::size_t end = header.find('>', begin == std::string_view::npos ? 0 : begin);
    if (begin == std::string_view::npos || end == std::string_view::npos) return "";
    std::string target(header.substr(begin + 1, end - begin - 1));
    header.remove_prefix(end + 1);
    const std::size_t next = header.find(",");
    if (IsNext(header.substr(0, next))) return target;
    if (next == std::string_view::npos) return "";
    header.remove_prefix(next + 1);
  }
}

void ForEachPage(Registry& registry, const std::string& path,
                 const std::function<bool(const HttpResponse&)>& take) {
  std::set<std::string> seen;
  std::string at = path;
  while (seen.insert(at).second && seen.size() <= kMostPages) {
    const HttpResponse response = registry.Send({.path = at, .max_body = specs::kMaxDocument});
    if (!take(response)) return;
    std::string next;
    for (std::string_view link : response.AllHeaders("Link")) {
      if (next.empty()) next = NextLink(link);
    }
    if (next.empty()) return;
    at = specs::ResolveUrl(response.url, next);
    if (!specs::SameOrigin(at, response.url)) {
      throw specs::Error(fmt::format("{} continues its list at another host", registry.Name()))
          .Found(RedactUrl(at));
    }
  }
  throw specs::Error(fmt::format("{} gives a list without end", registry.Name()));
}

}  // namespace imgbuild::builder
