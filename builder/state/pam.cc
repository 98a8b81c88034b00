#include "builder/state/pam.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

struct Profile {
  std::string name;  // of its file
  std::uint64_t priority = 0;
  std::map<std::string, std::string> fields;  // lines joined by line feeds, without indentation

  std::string Get(const std::string& field) const {
    auto found = fields.find(field);
    return found == fields.end() ? "" : found->second;
  }
};

struct Type {
  std::string_view file;    // "common-auth"
  std::string_view field;   // "Auth"
  std::string_view module;  // first word of each line
  std::string_view mark;    // before "_primary" and "_additional" in the template
};

constexpr auto kTypes = std::to_array<Type>({
    {"auth", "Auth", "auth", "auth"},
    {"account", "Account", "account", "account"},
    {"password", "Password", "password", "password"},
    {"session", "Session", "session", "session"},
    {"session-noninteractive", "Session", "session", "session_nonint"},
});

// "Key: value" lines, and indented ones that go on.
Profile ParseProfile(std::string_view name, std::string_view text) {
  Profile profile{std::string(name), 0, {}};
  std::string key;
  for (std::string_view line : specs::Split(text, '\n')) {
    if (line.empty() || line.starts_with('#')) continue;
    if (line.front() == ' ' || line.front() == '\t') {
      std::string& value = profile.fields[key];
      if (!value.empty()) value += '\n';
      value += specs::Trim(line);
      continue;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    key = line.substr(0, colon);
    profile.fields[key] = specs::Trim(line.substr(colon + 1));
  }
  profile.priority = specs::ParseUnsigned(profile.Get("Priority")).value_or(0);
  return profile;
}

// Those that are on by default, the highest priority first.
std::vector<Profile> Profiles(const PackageView& view) {
  std::vector<Profile> profiles;
  for (auto [name, file] : view.Folder("usr/share/pam-configs")) {
    std::optional<std::string_view> text = view.Content(file->path);
    if (!text) continue;
    Profile profile = ParseProfile(name, *text);
    if (profile.Get("Default") == "yes") profiles.push_back(std::move(profile));
  }
  std::ranges::stable_sort(profiles, std::ranges::greater(), &Profile::priority);
  return profiles;
}

struct Block {
  std::vector<std::pair<std::string, std::string>> modules;  // profile, its lines
  std::size_t lines = 0;
};

Block MakeBlock(const std::vector<Profile>& profiles, const Type& type, std::string_view kind) {
  Block block;
  for (const Profile& profile : profiles) {
    const std::string field(type.field);
    if (profile.Get(field + "-Type") != kind) continue;
    if (type.file == "session-noninteractive" && profile.Get("Session-Interactive-Only") == "yes") {
      continue;
    }
    std::string lines = block.modules.empty() ? profile.Get(field + "-Initial") : "";
    if (lines.empty()) lines = profile.Get(field);
    if (lines.empty()) continue;
    block.lines += specs::Split(lines, '\n').size();
    block.modules.emplace_back(profile.name, std::move(lines));
  }
  return block;
}

// "success=end" jumps over what is left of the block and the denial behind it.
std::string RenderBlock(const Block& block, const Type& type) {
  std::string text;
  std::size_t left = block.lines;
  for (const auto& [name, lines] : block.modules) {
    for (std::string_view line : specs::Split(lines, '\n')) {
      std::string written(line);
      const std::string jump = fmt::format("={}", left--);
      for (std::size_t at; (at = written.find("=end")) != std::string::npos;) {
        written.replace(at, 4, jump);
      }
      if (written.ends_with(".so")) written += ' ';  // where options would begin
      text += fmt::format("{}\t{}\n", type.module, written);
    }
  }
  if (!text.empty()) text.pop_back();
  return text;
}

void Replace(std::string& text, std::string_view mark, const std::string& by) {
  const std::size_t at = text.find(mark);
  if (at == std::string::npos) return;
  const bool line = by.empty() && at + mark.size() < text.size();
  text.replace(at, mark.size() + (line ? 1 : 0), by);
}

}  // namespace

void AddPam(const PackageView& view, StateFiles& files) {
  if (!view.HasPackage("libpam-runtime")) return;
  const std::vector<Profile> profiles = Profiles(view);
  for (const Type& type : kTypes) {
    std::string text(
        view.Need("libpam-runtime", fmt::format("usr/share/pam/common-{}", type.file)));
    const Block primary = MakeBlock(profiles, type, "Primary");
    const Block additional = MakeBlock(profiles, type, "Additional");
    std::string first = RenderBlock(primary, type), saved;
    if (primary.modules.empty()) {
      first = fmt::format("{}\t[default=1]\t\t\tpam_permit.so", type.module);
      saved = "Module: null\n[default=1]\t\t\tpam_permit.so\n";
    }
    for (const Block* block : {&primary, &additional}) {
      for (const auto& [name, lines] : block->modules) {
        saved += fmt::format("Module: {}\n{}\n", name, lines);
      }
    }
    Replace(text, fmt::format("${}_primary", type.mark), first);
    Replace(text, fmt::format("${}_additional", type.mark), RenderBlock(additional, type));
    files.AddFile(fmt::format("etc/pam.d/common-{}", type.file), std::move(text));
    files.AddFile(fmt::format("var/lib/pam/{}", type.file), std::move(saved));
  }
  std::string seen;
  for (auto [name, file] : view.Folder("usr/share/pam-configs"))
    seen = fmt::format("{}\n{}", name, seen);
  files.AddFile("var/lib/pam/seen", std::move(seen));
}

}  // namespace imgbuild::builder
