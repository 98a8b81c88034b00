#include "builder/state/sysusers.h"

#include <string>
#include <string_view>
#include <vector>

#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

// Words, of which some stand between quotes.
std::vector<std::string> Words(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false, any = false;
  for (char c : line) {
    if (c == '"') {
      quoted = !quoted;
      any = true;
    } else if (!quoted && (c == ' ' || c == '\t')) {
      if (any || !word.empty()) words.push_back(word);
      word.clear();
      any = false;
    } else {
      word += c;
    }
  }
  if (any || !word.empty()) words.push_back(word);
  return words;
}

}  // namespace

void AddSysusers(const layers::PackageFacts& package, Accounts& accounts) {
  for (const auto& [path, text] : package.contents) {
    if (!path.starts_with("usr/lib/sysusers.d/")) continue;
    for (std::string_view line : specs::Split(text, '\n')) {
      const std::vector<std::string> words = Words(specs::Trim(line));
      if (words.size() < 2) continue;
      auto field = [&](std::size_t at) {
        return at < words.size() && words[at] != "-" ? words[at] : std::string();
      };
      if (words[0] == "g") accounts.AddGroup(words[1]);
      if (words[0] != "u" && words[0] != "u!") continue;
      SystemUser user{.name = words[1], .comment = field(3), .group = words[1]};
      if (!field(4).empty()) user.home = field(4);
      if (user.home == "/nonexistent") user.home = "/";
      if (!field(5).empty()) user.shell = field(5);
      accounts.AddUser(user);
    }
  }
}

}  // namespace imgbuild::builder
