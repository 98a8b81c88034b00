#include "specs/python/requirement.h"

#include <algorithm>

#include "specs/base/text.h"
#include "specs/python/dependency_scanner.h"
#include "specs/python/marker_parser.h"
#include "specs/python/name.h"

namespace imgbuild::specs {
namespace {

class RequirementParser {
 public:
  explicit RequirementParser(std::string_view text) : scanner_(text) {}

  // requirement = name extras? ("@" url (space marker?)? | specifiers marker?)
  Requirement Parse() {
    Requirement requirement;
    scanner_.TakeSpace();
    requirement.name = scanner_.TakeIdentifier();
    if (requirement.name.empty()) scanner_.Fail("a package name");
    scanner_.TakeSpace();
    requirement.extras = ParseExtras();
    scanner_.TakeSpace();
    if (scanner_.Take('@')) {
      ParseUrl(requirement);
    } else {
      ParseVersions(requirement);
    }
    if (!scanner_.AtEnd()) scanner_.Fail("the end of the requirement");
    return requirement;
  }

 private:
  std::vector<std::string> ParseExtras() {
    std::vector<std::string> extras;
    if (!scanner_.Take('[')) return extras;
    scanner_.TakeSpace();
    std::string_view extra = scanner_.TakeIdentifier();
    while (!extra.empty()) {
      extras.emplace_back(extra);
      scanner_.TakeSpace();
      if (scanner_.LookingAtIdentifier()) scanner_.Fail("a comma between extras");
      if (!scanner_.Take(',')) break;
      scanner_.TakeSpace();
      extra = scanner_.TakeIdentifier();
      if (extra.empty()) scanner_.Fail("an extra after the comma");
    }
    scanner_.TakeSpace();
    if (!scanner_.Take(']')) scanner_.Fail("\"]\" after the extras");
    std::sort(extras.begin(), extras.end());
    extras.erase(std::unique(extras.begin(), extras.end()), extras.end());
    return extras;
  }

  void ParseUrl(Requirement& requirement) {
    scanner_.TakeSpace();
    requirement.url = scanner_.TakeUrl();
    if (requirement.url.empty()) scanner_.Fail("a URL after \"@\"");
    if (scanner_.AtEnd()) return;
    scanner_.TakeSpace();
    if (!scanner_.AtEnd()) ParseMarker(requirement, "\";\" before the marker");
  }

  void ParseVersions(Requirement& requirement) {
    bool parenthesis = scanner_.Take('(');
    scanner_.TakeSpace();
    std::size_t begin = scanner_.position();
    std::string specifiers = ParseSpecifiers();
    scanner_.TakeSpace();
    if (parenthesis && !scanner_.Take(')')) scanner_.Fail("\")\" after the versions");
    auto parsed = SpecifierSet::Parse(specifiers);
    if (auto* error = std::get_if<SyntaxError>(&parsed)) {
      throw SyntaxError{error->message, begin + error->position};
    }
    requirement.specifier = std::get<SpecifierSet>(std::move(parsed));
    scanner_.TakeSpace();
    if (scanner_.AtEnd()) return;
    ParseMarker(requirement,
                specifiers.empty() ? "a version specifier or \";\"" : "a comma or \";\"");
  }

  std::string ParseSpecifiers() {
    std::string specifiers;
    for (;;) {
      std::string_view specifier = scanner_.TakeSpecifier();
      if (specifier.empty()) return specifiers;
      specifiers += specifier;
      if (scanner_.Rest().starts_with(".*")) {
        scanner_.Fail("no \".*\", which goes with == and != after a plain release only");
      }
      if (scanner_.Looking('+')) {
        scanner_.Fail("no local version, which goes with == and != only");
      }
      scanner_.TakeSpace();
      if (!scanner_.Take(',')) return specifiers;
      specifiers += ',';
      scanner_.TakeSpace();
    }
  }

  void ParseMarker(Requirement& requirement, std::string_view expected) {
    if (!scanner_.Take(';')) scanner_.Fail(expected);
    requirement.marker = Marker(ParseMarkerItems(scanner_));
    scanner_.TakeSpace();
  }

  DependencyScanner scanner_;
};

std::vector<std::string> NormalNames(const std::vector<std::string>& names) {
  std::vector<std::string> normal;
  for (const std::string& name : names) normal.push_back(NormalizeName(name));
  std::sort(normal.begin(), normal.end());
  normal.erase(std::unique(normal.begin(), normal.end()), normal.end());
  return normal;
}

}  // namespace

std::variant<Requirement, SyntaxError> Requirement::Parse(std::string_view text) {
  try {
    return RequirementParser(text).Parse();
  } catch (const SyntaxError& error) {
    return error;
  }
}

std::string Requirement::Render() const {
  std::string text = name;
  if (!extras.empty()) text += '[' + Join(extras, ",") + ']';
  text += specifier.Render();
  if (!url.empty()) text += " @ " + url + (marker ? " " : "");
  if (marker) text += "; " + marker->Render();
  return text;
}

bool operator==(const Requirement& a, const Requirement& b) {
  return NormalizeName(a.name) == NormalizeName(b.name) &&
         NormalNames(a.extras) == NormalNames(b.extras) && a.specifier == b.specifier &&
         a.url == b.url && a.marker == b.marker;
}

}  // namespace imgbuild::specs
