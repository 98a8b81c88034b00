#include "builder/state/base_system.h"

#include <array>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

constexpr std::uint32_t kMail = 8;
constexpr std::uint32_t kUtmp = 43;

constexpr std::string_view kZones = "usr/share/zoneinfo/";

// Folders that base-files makes when it is configured.
constexpr auto kFolders = std::to_array<std::string_view>(
    {"mnt", "srv", "opt", "etc/opt", "var/opt", "media", "usr/local", "usr/local/share",
     "usr/local/share/man", "usr/local/bin", "usr/local/games", "usr/local/lib",
     "usr/local/include", "usr/local/sbin", "usr/local/src", "usr/local/etc"});

// usr/share/base-files/FIRST becomes SECOND.
constexpr auto kDefaults =
    std::to_array<std::pair<std::string_view, std::string_view>>({{"dot.profile", "root/.profile"},
                                                                  {"dot.bashrc", "root/.bashrc"},
                                                                  {"profile", "etc/profile"},
                                                                  {"motd", "etc/motd"}});

constexpr std::string_view kHosts =
    "127.0.0.1\tlocalhost\n"
    "::1\t\tlocalhost ip6-localhost ip6-loopback\n"
    "ff02::1\t\tip6-allnodes\n"
    "ff02::2\t\tip6-allrouters\n"
    "\n";

constexpr std::string_view kNetworks =
    "default\t\t0.0.0.0\n"
    "loopback\t127.0.0.0\n"
    "link-local\t169.254.0.0\n"
    "\n";

constexpr std::string_view kPythonConfig =
    "[DEFAULT]\n"
    "# how to byte-compile (comma separated: standard, optimize)\n"
    "byte-compile = standard\n";

void CopyFile(const PackageView& view, StateFiles& files, std::string_view package,
              std::string_view from, std::string_view to) {
  files.AddFile(to, std::string(view.Need(package, from)));
}

}  // namespace

void AddMergedUsr(const StateInput& input, const PackageView& view, StateFiles& files) {
  std::vector<std::string_view> names = {"bin", "sbin", "lib"};
  if (input.architecture == specs::Architecture::kAmd64) names.push_back("lib64");
  for (std::string_view name : names) {
    const layers::FileFacts* brought = view.File(name);
    if (brought == nullptr) files.AddLink(name, fmt::format("usr/{}", name));
    files.AddDirectory(fmt::format("usr/{}", name));
  }
  for (std::string_view name : {"lib32", "libx32", "libo32"}) {
    const std::string target = fmt::format("usr/{}", name);
    if (view.File(target) != nullptr && view.File(name) == nullptr) files.AddLink(name, target);
  }
}

void AddBaseFiles(const StateInput& input, const PackageView& view, StateFiles& files) {
  if (!view.HasPackage("base-files")) return;
  for (auto [from, to] : kDefaults) {
    CopyFile(view, files, "base-files", fmt::format("usr/share/base-files/{}", from), to);
  }
  for (std::string_view folder : kFolders) files.AddDirectory(folder);
  if (input.suite == specs::Suite::kTrixie) files.AddDirectory("usr/local/libexec");
  files.AddDirectory("var/mail", 02775, 0, kMail);
  files.AddDirectory("run/lock", 01777);
  files.AddLink("var/spool/mail", "../mail");
  files.AddLink("var/run", "/run");
  files.AddLink("var/lock", "/run/lock");
  files.AddLink("usr/local/man", "share/man");
  files.AddFile("var/log/wtmp", "", 0664, 0, kUtmp);
  files.AddFile("var/log/btmp", "", 0660, 0, kUtmp);
  files.AddFile("var/log/lastlog", "", 0664, 0, kUtmp);
  if (view.File("etc/dpkg/origins/debian") != nullptr) {
    files.AddLink("etc/dpkg/origins/default", "debian");
  }
}

void AddNameService(const PackageView& view, StateFiles& files) {
  if (view.HasPackage("libc-bin")) {
    CopyFile(view, files, "libc-bin", "usr/share/libc-bin/nsswitch.conf", "etc/nsswitch.conf");
  }
  if (view.HasPackage("netbase")) {
    files.AddFile("etc/hosts", std::string(kHosts));
    files.AddFile("etc/networks", std::string(kNetworks));
  }
}

// As update-shells(8): each shell of the packages, and where merged /usr has it.
void AddShells(const PackageView& view, StateFiles& files) {
  if (!view.HasPackage("debianutils")) return;
  std::vector<std::string_view> texts = {view.Need("debianutils", "usr/share/debianutils/shells")};
  for (auto [name, file] : view.Folder("usr/share/debianutils/shells.d")) {
    if (std::optional<std::string_view> text = view.Content(file->path)) texts.push_back(*text);
  }
  std::string shells(texts[0]), state;
  std::set<std::string, std::less<>> known, written;
  for (std::string_view line : specs::Split(shells, '\n')) known.emplace(line);
  for (std::string_view text : texts) {
    for (std::string_view line : specs::Split(text, '\n')) {
      line = line.substr(0, line.find('#'));
      if (line.empty()) continue;
      std::vector<std::string> both = {std::string(line)};
      if (line.starts_with("/bin/") || line.starts_with("/sbin/")) {
        both.push_back(fmt::format("/usr{}", line));
      }
      for (const std::string& shell : both) {
        if (written.emplace(shell).second) state += shell + "\n";
        if (known.emplace(shell).second) shells += shell + "\n";
      }
    }
  }
  files.AddFile("etc/shells", std::move(shells));
  files.AddFile("var/lib/shells.state", std::move(state));
}

void AddInputrc(const PackageView& view, StateFiles& files) {
  if (!view.HasPackage("readline-common")) return;
  CopyFile(view, files, "readline-common", "usr/share/readline/inputrc", "etc/inputrc");
}

void AddPython(const PackageView& view, StateFiles& files) {
  if (view.HasPackage("python3")) {
    files.AddDirectory("etc/python3");
    files.AddFile("etc/python3/debian_config", std::string(kPythonConfig));
  }
  for (const layers::PackageFacts* package : view.debs()) {
    const std::string& name = package->name;
    if (!name.starts_with("python3.") || !name.ends_with("-minimal")) continue;
    const std::string python = name.substr(0, name.size() - std::string_view("-minimal").size());
    files.AddDirectory(fmt::format("usr/local/lib/{}", python));
    files.AddDirectory(fmt::format("usr/local/lib/{}/dist-packages", python));
    files.AddDirectory("var/lib/python");
    files.AddFile(fmt::format("var/lib/python/{}_installed", python), "");
  }
}

void RequireTimezone(std::string_view zone, std::span<const layers::PackageFacts* const> packages) {
  std::vector<std::string> zones;
  for (const layers::PackageFacts* package : packages) {
    for (const layers::FileFacts& file : package->files) {
      if (!file.path.starts_with(kZones)) continue;
      if (file.node.type == layers::NodeType::kDirectory) continue;
      zones.push_back(file.path.substr(kZones.size()));
      if (zones.back() == zone) return;
    }
  }
  throw specs::Error(specs::ErrorKind::kUsage, fmt::format("there is no time zone \"{}\"", zone))
      .Expected("a name such as \"Etc/UTC\" or \"Europe/Berlin\"")
      .Hint(specs::DidYouMean(zone, zones));
}

void AddTimezone(const StateInput& input, const PackageView& view, StateFiles& files) {
  if (!view.HasPackage("tzdata")) return;
  RequireTimezone(input.timezone, view.debs());
  files.AddLink("etc/localtime", fmt::format("/{}{}", kZones, input.timezone));
  if (input.suite == specs::Suite::kBookworm) {
    files.AddFile("etc/timezone", input.timezone + "\n");
  }
}

}  // namespace imgbuild::builder
