#include "builder/registry/challenge.h"

#include <cctype>
#include <optional>
#include <utility>

#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

bool IsTokenChar(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

// RFC 9110, 5.6: tokens, quoted strings, and lists with empty elements.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool AtEnd() const { return at_ == text_.size(); }

  void SkipSpace() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }
  void SkipCommas() {
    for (SkipSpace(); Take(','); SkipSpace()) {
    }
  }

  bool Take(char c) {
    if (AtEnd() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  std::string_view Token() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && IsTokenChar(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  std::optional<std::string> Quoted() {
    std::string value;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '"') return value;
      if (c == '\\' && at_ < text_.size()) {
        value += text_[at_++];
      } else {
        value += c;
      }
    }
    return std::nullopt;
  }

  // "name=value" where one stands here; else nothing is consumed.
  std::optional<std::pair<std::string, std::string>> Parameter() {
    const std::size_t begin = at_;
    const std::string_view name = Token();
    SkipSpace();
    if (name.empty() || !Take('=')) return Back(begin);
    SkipSpace();
    if (Take('"')) {
      std::optional<std::string> value = Quoted();
      if (!value) return Back(begin);
      return std::pair(specs::ToLower(name), *std::move(value));
    }
    const std::string_view value = Token();
    if (value.empty()) return Back(begin);
    return std::pair(specs::ToLower(name), std::string(value));
  }

 private:
  std::nullopt_t Back(std::size_t position) {
    at_ = position;
    return std::nullopt;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::vector<Challenge> ParseChallenges(std::string_view header) {
  std::vector<Challenge> challenges;
  Scanner scanner(header);
  for (;;) {
    scanner.SkipCommas();
    if (scanner.AtEnd()) return challenges;
    if (!challenges.empty()) {
      if (auto parameter = scanner.Parameter()) {
        challenges.back().parameters.insert(*std::move(parameter));
        continue;
      }
    }
    const std::string_view scheme = scanner.Token();
    if (scheme.empty()) return challenges;
    challenges.push_back({specs::ToLower(scheme), {}});
    scanner.SkipSpace();
    if (auto parameter = scanner.Parameter()) {
      challenges.back().parameters.insert(*std::move(parameter));
    }
  }
}

}  // namespace imgbuild::builder
