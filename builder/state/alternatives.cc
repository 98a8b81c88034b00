#include "builder/state/alternatives.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "layers/tree/path.h"
#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

// Where merged /usr has an absolute path, relative to the root; "" for what is no path.
std::string Placed(std::string_view absolute) {
  std::string path = layers::CanonicalPath(absolute).value_or("");
  for (std::string_view top : {"bin/", "sbin/", "lib/", "lib32/", "lib64/", "libx32/"}) {
    if (path.starts_with(top)) return fmt::format("usr/{}", path);
  }
  return path;
}

bool Exists(const PackageView& view, const StateFiles& files, std::string_view absolute) {
  const std::string path = Placed(absolute);
  return view.File(path) != nullptr || files.Find(path) != nullptr;
}

bool Literal(std::string_view word) {
  return !word.empty() && word.find_first_of("$`*?\"'\\;|&<>(){}\n") == std::string_view::npos;
}

// The slaves of all alternatives of a name, in order of slave name: NAME -> LINK.
std::map<std::string, std::string> SlaveLinks(const std::vector<const Alternative*>& all) {
  std::map<std::string, std::string> links;
  for (const Alternative* alternative : all) {
    for (const AlternativeSlave& slave : alternative->slaves) {
      links.try_emplace(slave.name, slave.link);
    }
  }
  return links;
}

// var/lib/dpkg/alternatives/NAME.
std::string Database(const std::vector<const Alternative*>& all,
                     const std::map<std::string, std::string>& slaves) {
  std::string text = fmt::format("auto\n{}\n", all[0]->link);
  for (const auto& [name, link] : slaves) text += fmt::format("{}\n{}\n", name, link);
  text += '\n';
  std::vector<const Alternative*> sorted = all;
  std::ranges::sort(sorted, {}, [](const Alternative* one) { return one->path; });
  for (const Alternative* alternative : sorted) {
    text += fmt::format("{}\n{}\n", alternative->path, alternative->priority);
    for (const auto& [name, link] : slaves) {
      auto slave = std::ranges::find(alternative->slaves, name, &AlternativeSlave::name);
      text += slave == alternative->slaves.end() ? "\n" : slave->path + "\n";
    }
  }
  return text + "\n";
}

void AddLinks(std::string_view link, const std::string& name, const std::string& path,
              StateFiles& files) {
  files.AddLink(fmt::format("etc/alternatives/{}", name), path);
  files.AddLink(Placed(link), fmt::format("/etc/alternatives/{}", name));
}

}  // namespace

Alternative ParseAlternative(const std::vector<std::string>& words) {
  auto fail = [&](std::string_view why) -> specs::Error {
    return specs::Error(fmt::format("update-alternatives is called with {}", why))
        .Found(specs::Join(words, " "));
  };
  for (const std::string& word : words) {
    if (!Literal(word)) throw fail("words that are not literal");
  }
  Alternative alternative;
  std::size_t at = 0;
  while (at < words.size()) {
    const std::string& word = words[at];
    if (word == "--quiet" || word == "--force") {
      at += 1;
    } else if (word == "--install" && at + 4 < words.size() && alternative.name.empty()) {
      alternative.link = words[at + 1];
      alternative.name = words[at + 2];
      alternative.path = words[at + 3];
      const std::string& number = words[at + 4];
      auto [end, error] =
          std::from_chars(number.data(), number.data() + number.size(), alternative.priority);
      if (error != std::errc() || end != number.data() + number.size()) {
        throw fail("a priority that is no number");
      }
      at += 5;
    } else if (word == "--slave" && at + 3 < words.size()) {
      alternative.slaves.push_back({words[at + 1], words[at + 2], words[at + 3]});
      at += 4;
    } else {
      throw fail("options that are not known here");
    }
  }
  if (alternative.name.empty() || alternative.name.find('/') != std::string::npos ||
      Placed(alternative.link).empty()) {
    throw fail("no alternative");
  }
  return alternative;
}

void Alternatives::Add(Alternative alternative) {
  std::vector<Alternative>& all = by_name_[alternative.name];
  auto same = std::ranges::find(all, alternative.path, &Alternative::path);
  if (same == all.end()) {
    all.push_back(std::move(alternative));
  } else {
    *same = std::move(alternative);
  }
}

void Alternatives::Write(const PackageView& view, StateFiles& files) const {
  for (const auto& [name, alternatives] : by_name_) {
    std::vector<const Alternative*> there;
    for (const Alternative& alternative : alternatives) {
      if (Exists(view, files, alternative.path)) there.push_back(&alternative);
    }
    if (there.empty()) continue;
    const Alternative* best = there[0];
    for (const Alternative* alternative : there) {
      if (alternative->priority > best->priority) best = alternative;
    }
    AddLinks(best->link, name, best->path, files);
    for (const AlternativeSlave& slave : best->slaves) {
      if (Exists(view, files, slave.path)) AddLinks(slave.link, slave.name, slave.path, files);
    }
    files.AddFile(fmt::format("var/lib/dpkg/alternatives/{}", name),
                  Database(there, SlaveLinks(there)));
  }
}

}  // namespace imgbuild::builder
