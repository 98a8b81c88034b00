#include "builder/state/dpkg_database.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "layers/tree/path.h"
#include "specs/base/text.h"
#include "specs/debian/control.h"

namespace imgbuild::builder {
namespace {

constexpr std::string_view kRoot = "var/lib/dpkg";

// Control members that dpkg keeps elsewhere or not at all.
const std::set<std::string, std::less<>> kNotKept = {"control"};

constexpr std::string_view kPathFilter =
    "# Documentation and translations are left out of this image.\n"
    "path-exclude=/usr/share/doc/*\n"
    "path-include=/usr/share/doc/*/copyright\n"
    "path-exclude=/usr/share/man/*\n"
    "path-exclude=/usr/share/info/*\n"
    "path-exclude=/usr/share/groff/*\n"
    "path-exclude=/usr/share/lintian/*\n"
    "path-exclude=/usr/share/linda/*\n"
    "path-exclude=/usr/share/locale/*\n"
    "path-include=/usr/share/locale/locale.alias\n";

// What dpkg names the package's files in info/: with the architecture where several can be there.
std::string InfoName(const layers::PackageFacts& package) {
  auto control = package.control.find("control");
  if (control == package.control.end()) return package.name;
  specs::ControlReader reader(control->second, package.name);
  while (auto fields = reader.Next()) {
    for (const specs::ControlFieldView& field : *fields) {
      if (specs::ToLower(field.name) == "multi-arch" && field.value == "same") {
        return fmt::format("{}:{}", package.name, package.architecture);
      }
    }
  }
  return package.name;
}

// Paths as the package wrote them, below / rather than /usr: its md5sums name regular files so;
// links beside such a file are taken for moved as well.
class OriginalPaths {
 public:
  explicit OriginalPaths(const layers::PackageFacts& package) {
    auto sums = package.control.find("md5sums");
    if (sums == package.control.end()) return;
    for (std::string_view line : specs::Split(sums->second, '\n')) {
      if (line.size() < 35) continue;
      std::string path(specs::Trim(line.substr(33)));
      for (std::string_view top : {"bin/", "sbin/", "lib/", "lib32/", "lib64/", "libx32/"}) {
        if (!path.starts_with(top)) continue;
        for (std::string_view at = layers::ParentPath(path); !at.empty();
             at = layers::ParentPath(at)) {
          moved_.emplace(at);
        }
      }
      sums_.insert(std::move(path));
    }
  }

  std::string Of(const layers::FileFacts& file) const {
    if (!file.path.starts_with("usr/")) return file.path;
    std::string before = file.path.substr(4);
    // The dynamic linker's link is alone in its folder.
    if (!moved_.empty() && (before == "lib64" || before.starts_with("lib64/"))) return before;
    if (sums_.contains(file.path)) return file.path;
    const bool folder = file.node.type == layers::NodeType::kDirectory;
    const std::string beside = folder ? before : std::string(layers::ParentPath(before));
    return sums_.contains(before) || moved_.contains(beside) ? before : file.path;
  }

 private:
  std::set<std::string> sums_;
  std::set<std::string> moved_;  // folders outside usr that have files
};

// info/NAME.list: all paths that are in the image, with their folders, first "/.".
std::string FileList(const layers::PackageFacts& package) {
  const OriginalPaths original(package);
  std::set<std::string> paths;
  for (const layers::FileFacts& file : package.files) paths.insert(original.Of(file));
  std::set<std::string> all;
  for (const std::string& path : paths) {
    for (std::string_view at = path; !at.empty(); at = layers::ParentPath(at)) {
      if (!all.emplace(at).second) break;
    }
  }
  std::string text = "/.\n";
  for (const std::string& path : all) text += fmt::format("/{}\n", path);
  return text;
}

// info/NAME.md5sums: of what is in the image, so that "dpkg --verify" misses nothing that was left
// out on purpose.
std::string Md5Sums(const layers::PackageFacts& package, std::string_view sums) {
  const OriginalPaths original(package);
  std::set<std::string> there;
  for (const layers::FileFacts& file : package.files) there.insert(original.Of(file));
  std::string text;
  for (std::string_view line : specs::Split(sums, '\n')) {
    if (line.size() < 35 || !there.contains(std::string(specs::Trim(line.substr(33))))) continue;
    text += fmt::format("{}\n", line);
  }
  return text;
}

// triggers/File and a file for each named trigger, from "interest" lines.
void AddTriggers(const PackageView& view, StateFiles& files) {
  std::string paths;
  std::map<std::string, std::string> named;
  for (const layers::PackageFacts* package : view.debs()) {
    auto triggers = package->control.find("triggers");
    if (triggers == package->control.end()) continue;
    for (std::string_view line : specs::Split(triggers->second, '\n')) {
      const std::vector<std::string_view> words = specs::SplitWords(line);
      if (words.size() != 2 || !words[0].starts_with("interest")) continue;
      const bool waits = words[0] == "interest" || words[0] == "interest-await";
      const std::string who = package->name + (waits ? "" : "/noawait");
      if (words[1].starts_with('/')) {
        paths += fmt::format("{} {}\n", words[1], who);
      } else if (words[1].find('/') == std::string_view::npos) {
        named[std::string(words[1])] += who + "\n";
      }
    }
  }
  files.AddFile(fmt::format("{}/triggers/File", kRoot), std::move(paths));
  files.AddFile(fmt::format("{}/triggers/Unincorp", kRoot), "");
  files.AddFile(fmt::format("{}/triggers/Lock", kRoot), "", 0600);
  for (auto& [name, text] : named) {
    files.AddFile(fmt::format("{}/triggers/{}", kRoot, name), std::move(text));
  }
}

void AddInfo(const layers::PackageFacts& package, StateFiles& files) {
  const std::string name = InfoName(package);
  for (const auto& [member, text] : package.control) {
    if (kNotKept.contains(member) || member.find('/') != std::string::npos) continue;
    const bool script = text.starts_with("#!");
    files.AddFile(fmt::format("{}/info/{}.{}", kRoot, name, member),
                  member == "md5sums" ? Md5Sums(package, text) : text, script ? 0755 : 0644);
  }
  files.AddFile(fmt::format("{}/info/{}.list", kRoot, name), FileList(package));
}

}  // namespace

void AddDpkgDatabase(const StateInput& input, const PackageView& view,
                     const std::vector<Diversion>& diversions, StateFiles& files) {
  std::string status;
  for (const layers::PackageFacts* package : view.debs()) {
    status += RenderStatus(*package) + "\n";
    AddInfo(*package, files);
  }
  files.AddFile(fmt::format("{}/status", kRoot), std::move(status));
  files.AddFile(fmt::format("{}/info/format", kRoot), "1\n");
  files.AddFile(fmt::format("{}/arch", kRoot),
                fmt::format("{}\n", specs::ArchitectureName(input.architecture)));
  if (input.suite == specs::Suite::kTrixie) {
    files.AddFile(fmt::format("{}/arch-native", kRoot),
                  fmt::format("{}\n", specs::ArchitectureName(input.architecture)));
  }
  std::string diverted;
  for (const Diversion& diversion : diversions) {
    diverted += fmt::format("{}\n{}\n{}\n", diversion.from, diversion.to, diversion.owner);
  }
  files.AddFile(fmt::format("{}/diversions", kRoot), std::move(diverted));
  files.AddFile(fmt::format("{}/statoverride", kRoot), "");
  files.AddFile(fmt::format("{}/lock", kRoot), "", 0640);
  files.AddFile(fmt::format("{}/lock-frontend", kRoot), "", 0640);
  for (std::string_view folder : {"alternatives", "info", "parts", "triggers", "updates"}) {
    files.AddDirectory(fmt::format("{}/{}", kRoot, folder));
  }
  AddTriggers(view, files);
  if (input.profile == specs::Profile::kSlim) {
    files.AddFile("etc/dpkg/dpkg.cfg.d/imgbuild", std::string(kPathFilter));
  }
}

}  // namespace imgbuild::builder
