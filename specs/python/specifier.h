// Version specifiers (PEP 440 "Version specifiers"), read as the `packaging` library reads them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "specs/python/syntax_error.h"
#include "specs/python/version.h"
#include "specs/python/version_range.h"

namespace imgbuild::specs {

enum class SpecifierOperator {
  kCompatible,    // ~=
  kEqual,         // ==
  kNotEqual,      // !=
  kLessEqual,     // <=
  kGreaterEqual,  // >=
  kLess,          // <
  kGreater,       // >
  kArbitrary,     // ===
};

// One clause: ">=1.2", "==1.*", "===whatever".
class [[nodiscard]] Specifier {
 public:
  static std::variant<Specifier, SyntaxError> Parse(std::string_view text);

  SpecifierOperator op() const { return op_; }
  // As written after the operator: "1.2", "1.*", "whatever".
  const std::string& version_text() const { return text_; }
  // Without ".*". REQUIRES: op() != kArbitrary.
  const Version& version() const { return version_; }
  bool wildcard() const { return wildcard_; }

  // The clause names a pre-release, so that pre-releases are wanted ("!=" and ".*" never do).
  bool MentionsPrerelease() const;
  // Whether `version` fits, pre-release or not. kArbitrary compares with the rendered version.
  bool Admits(const Version& version) const;
  // The same for a version as its index spells it, which only kArbitrary can tell; a text that is
  // no version fits nothing else.
  bool Admits(std::string_view version) const;

  // The operator and the version as written: ">=1.2".
  std::string Render() const;
  // Equal after normalisation of the version: "==1.0" and "== 1.0.0".
  friend bool operator==(const Specifier& a, const Specifier& b) {
    return a.Canonical() == b.Canonical();
  }
  // Equal for equal specifiers; not for people.
  std::string Canonical() const;

 private:
  SpecifierOperator op_ = SpecifierOperator::kArbitrary;
  bool wildcard_ = false;
  std::string text_;
  Version version_;
};

// Clauses between commas, all of which must hold; empty: any version.
class [[nodiscard]] SpecifierSet {
 public:
  SpecifierSet() = default;
  explicit SpecifierSet(std::vector<Specifier> specifiers);
  static std::variant<SpecifierSet, SyntaxError> Parse(std::string_view text);

  const std::vector<Specifier>& specifiers() const { return specifiers_; }
  bool empty() const { return specifiers_.empty(); }

  // Whether the version fits. `prereleases`: false leaves pre-releases out; true and nullopt admit
  // them, since a single version has no final release beside it to prefer (packaging >= 26).
  bool Contains(const Version& version, std::optional<bool> prereleases = std::nullopt) const;
  // The same for a version as its index spells it; "===" compares that spelling without case.
  bool Contains(std::string_view version, std::optional<bool> prereleases = std::nullopt) const;

  // Some clause names a pre-release: a resolver takes pre-releases of this package.
  bool MentionsPrerelease() const;
  VersionRange Range() const { return VersionRange::Of(*this); }

  // The clauses sorted by their text, equal ones once: "!=1.3,>=1.0". Parse(Render()) == *this.
  std::string Render() const;
  friend bool operator==(const SpecifierSet& a, const SpecifierSet& b);

 private:
  std::vector<Specifier> specifiers_;  // sorted by text, each once
};

}  // namespace imgbuild::specs
