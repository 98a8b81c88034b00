#include "specs/python/specifier.h"

#include <algorithm>
#include <set>

#include <fmt/core.h>

#include "specs/base/text.h"
#include "specs/python/python_text.h"
#include "specs/python/specifier_scan.h"

namespace imgbuild::specs {
namespace {

constexpr std::pair<std::string_view, SpecifierOperator> kOperators[] = {
    {"~=", SpecifierOperator::kCompatible},   {"==", SpecifierOperator::kEqual},
    {"!=", SpecifierOperator::kNotEqual},     {"<=", SpecifierOperator::kLessEqual},
    {">=", SpecifierOperator::kGreaterEqual}, {"<", SpecifierOperator::kLess},
    {">", SpecifierOperator::kGreater},       {"===", SpecifierOperator::kArbitrary}};

std::string_view OperatorText(SpecifierOperator op) {
  for (const auto& [text, value] : kOperators) {
    if (value == op) return text;
  }
  return "";
}

SyntaxError Invalid(std::string_view text, std::size_t position) {
  std::string message = fmt::format("\"{}\" is no version specifier", text);
  if (ScanOperator(text).empty()) {
    message += "; expected one of ~= == != <= >= < > === and a version";
  } else if (text.ends_with(".*")) {
    message += "; \".*\" goes with == and != after a plain release only";
  } else if (text.starts_with("~=")) {
    message += "; \"~=\" needs at least two release numbers";
  } else if (text.find('+') != std::string_view::npos) {
    message += "; a local version goes with == and != only";
  }
  return {message, position};
}

bool SameIgnoringCase(std::string_view a, std::string_view b) { return ToLower(a) == ToLower(b); }

}  // namespace

std::variant<Specifier, SyntaxError> Specifier::Parse(std::string_view text) {
  std::string_view stripped = StripPythonSpace(text);
  std::size_t position = static_cast<std::size_t>(stripped.data() - text.data());
  std::optional<std::size_t> length = ScanSpecifier(stripped);
  if (!length || *length != stripped.size()) return Invalid(stripped, position);
  std::string_view op = ScanOperator(stripped);
  std::string_view version = StripPythonSpace(stripped.substr(op.size()));
  Specifier specifier;
  for (const auto& [operator_text, value] : kOperators) {
    if (operator_text == op) specifier.op_ = value;
  }
  specifier.text_ = std::string(version);
  if (specifier.op_ == SpecifierOperator::kArbitrary) return specifier;
  specifier.wildcard_ = version.ends_with(".*");
  if (specifier.wildcard_) version.remove_suffix(2);
  std::optional<Version> parsed = Version::Parse(version);
  if (!parsed) return Invalid(stripped, position);
  specifier.version_ = *std::move(parsed);
  return specifier;
}

bool Specifier::MentionsPrerelease() const {
  if (op_ == SpecifierOperator::kNotEqual || wildcard_) return false;
  if (op_ != SpecifierOperator::kArbitrary) return version_.is_prerelease();
  std::optional<Version> version = Version::Parse(text_);
  return version && version->is_prerelease();
}

bool Specifier::Admits(const Version& version) const {
  switch (op_) {
    case SpecifierOperator::kArbitrary:
      return SameIgnoringCase(version.Render(), text_);
    case SpecifierOperator::kGreaterEqual:
      return version >= version_;
    default:
      return VersionRange::Of(*this).Contains(version);
  }
}

bool Specifier::Admits(std::string_view version) const {
  if (op_ == SpecifierOperator::kArbitrary) return SameIgnoringCase(version, text_);
  std::optional<Version> parsed = Version::Parse(version);
  return parsed && Admits(*parsed);
}

std::string Specifier::Render() const { return std::string(OperatorText(op_)) + text_; }

std::string Specifier::Canonical() const {
  if (op_ == SpecifierOperator::kArbitrary || wildcard_) return Render();
  std::string text = std::string(OperatorText(op_)) + version_.key();
  // "~=1.0.0" and "~=1.0" are the same version but not the same prefix.
  if (op_ == SpecifierOperator::kCompatible)
    text += Count(version_.Parts().release.size(), "number");
  return text;
}

SpecifierSet::SpecifierSet(std::vector<Specifier> specifiers) {
  std::stable_sort(specifiers.begin(), specifiers.end(),
                   [](const Specifier& a, const Specifier& b) { return a.Render() < b.Render(); });
  std::set<std::string> seen;
  for (Specifier& specifier : specifiers) {
    if (seen.insert(specifier.Canonical()).second) specifiers_.push_back(std::move(specifier));
  }
}

std::variant<SpecifierSet, SyntaxError> SpecifierSet::Parse(std::string_view text) {
  std::vector<Specifier> specifiers;
  for (std::string_view piece : Split(text, ',')) {
    if (StripPythonSpace(piece).empty()) continue;
    auto parsed = Specifier::Parse(piece);
    if (auto* error = std::get_if<SyntaxError>(&parsed)) {
      error->position += static_cast<std::size_t>(piece.data() - text.data());
      return std::move(*error);
    }
    specifiers.push_back(std::get<Specifier>(std::move(parsed)));
  }
  return SpecifierSet(std::move(specifiers));
}

bool SpecifierSet::Contains(const Version& version, std::optional<bool> prereleases) const {
  if (prereleases == false && version.is_prerelease()) return false;
  return std::all_of(specifiers_.begin(), specifiers_.end(),
                     [&](const Specifier& specifier) { return specifier.Admits(version); });
}

bool SpecifierSet::Contains(std::string_view version, std::optional<bool> prereleases) const {
  if (prereleases == false) {
    std::optional<Version> parsed = Version::Parse(version);
    if (parsed && parsed->is_prerelease()) return false;
  }
  return std::all_of(specifiers_.begin(), specifiers_.end(),
                     [&](const Specifier& specifier) { return specifier.Admits(version); });
}

bool SpecifierSet::MentionsPrerelease() const {
  return std::any_of(specifiers_.begin(), specifiers_.end(),
                     [](const Specifier& specifier) { return specifier.MentionsPrerelease(); });
}

std::string SpecifierSet::Render() const {
  std::string text;
  for (const Specifier& specifier : specifiers_) {
    if (!text.empty()) text += ',';
    text += specifier.Render();
  }
  return text;
}

bool operator==(const SpecifierSet& a, const SpecifierSet& b) {
  return a.specifiers_ == b.specifiers_;
}

}  // namespace imgbuild::specs
