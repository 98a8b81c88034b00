#include "builder/state/package_effects.h"

#include <array>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "builder/state/pam.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

constexpr std::string_view kPaper = "a4";

struct Warning {
  std::string_view package;
  std::string_view text;
};

// Packages whose scripts run a program over what is installed; it cannot run while an image is
// made. They work without, as far as said.
constexpr auto kWarnings = std::to_array<Warning>({
    {"libgvc6",
     "graphviz: \"dot -c\" was not run, so that dot knows no output formats until it was, as root "
     "in the running container"},
    {"libgvc6-config-update",
     "graphviz: \"dot -c\" was not run, so that dot knows no output formats until it was"},
    {"locales",
     "locales: no locale was generated; C.UTF-8 is there, and locales-all brings the others"},
    {"shared-mime-info",
     "shared-mime-info: the database of MIME types was not compiled (update-mime-database); "
     "programs that guess types by content know none"},
    {"libgdk-pixbuf-2.0-0",
     "libgdk-pixbuf-2.0-0: the list of image loaders was not made (gdk-pixbuf-query-loaders); "
     "formats beyond the built-in ones are not read"},
});

std::string Triplet(specs::Architecture architecture) {
  return fmt::format("{}-linux-gnu", specs::MachineName(architecture));
}

// xz-utils computes these names in a loop.
void AddXz(const PackageView& view, Alternatives& alternatives) {
  if (!view.HasPackage("xz-utils")) return;
  Alternative lzma{"/usr/bin/lzma", "lzma", "/usr/bin/xz", 20, {}};
  auto add = [&](std::string_view folder, std::string_view name, std::string_view target) {
    lzma.slaves.push_back({fmt::format("{}/{}", folder, name), std::string(name),
                           fmt::format("{}/{}", folder, target)});
  };
  add("/usr/share/man/man1", "lzma.1.gz", "xz.1.gz");
  add("/usr/bin", "unlzma", "unxz");
  add("/usr/share/man/man1", "unlzma.1.gz", "unxz.1.gz");
  for (std::string_view tool : {"cat", "more", "less", "diff", "cmp", "grep", "egrep", "fgrep"}) {
    add("/usr/bin", fmt::format("lz{}", tool), fmt::format("xz{}", tool));
    add("/usr/share/man/man1", fmt::format("lz{}.1.gz", tool), fmt::format("xz{}.1.gz", tool));
  }
  alternatives.Add(std::move(lzma));
}

void AddFontconfig(const PackageView& view, StateFiles& files) {
  if (view.HasPackage("fontconfig")) files.AddDirectory("var/cache/fontconfig");
  if (!view.HasPackage("fontconfig-config")) return;
  // The answers to its questions where nobody changed them; each only where the release has it.
  for (std::string_view name : {"10-hinting-slight.conf", "11-lcdfilter-default.conf",
                                "70-no-bitmaps.conf", "70-no-bitmaps-except-emoji.conf"}) {
    if (name == "70-no-bitmaps.conf" &&
        view.File("usr/share/fontconfig/conf.avail/70-no-bitmaps-except-emoji.conf") != nullptr) {
      continue;
    }
    const std::string link = fmt::format("etc/fonts/conf.d/{}", name);
    const std::string target = fmt::format("usr/share/fontconfig/conf.avail/{}", name);
    if (view.File(target) != nullptr && view.File(link) == nullptr) {
      files.AddLink(link, "/" + target);
    }
  }
}

void AddR(const PackageView& view, StateFiles& files) {
  if (!view.HasPackage("r-base-core")) return;
  std::string text(view.Need("r-base-core", "usr/lib/R/etc/Renviron.ucf"));
  const std::string before = "R_PAPERSIZE_USER=${R_PAPERSIZE}";
  const std::size_t at = text.find("\n" + before);
  if (at != std::string::npos) {
    text.replace(at + 1, before.size(),
                 fmt::format("R_PAPERSIZE_USER=${{R_PAPERSIZE-'{}'}}", kPaper));
  }
  files.AddFile("etc/R/Renviron", std::move(text));
  files.AddDirectory("usr/local/lib/R");
  files.AddDirectory("usr/local/lib/R/site-library");
}

// Files that are made empty.
void AddEmptyFiles(const StateInput& input, const PackageView& view, StateFiles& files) {
  if (view.HasPackage("ucf")) {
    files.AddFile("var/lib/ucf/hashfile", "");
    files.AddFile("var/lib/ucf/registry", "");
  }
  if (view.HasPackage("libpam-modules")) {
    files.AddFile("etc/environment", "");
    files.AddFile("etc/security/opasswd", "", 0600);
  }
  const bool trixie = input.suite == specs::Suite::kTrixie;
  if (view.HasPackage(trixie ? "base-passwd" : "login")) {
    files.AddFile("etc/subuid", "");
    files.AddFile("etc/subgid", "");
  }
  if (!trixie && view.HasPackage("login")) files.AddFile("var/log/faillog", "");
}

}  // namespace

void AddPackageEffects(const StateInput& input, const PackageView& view, Accounts& accounts,
                       Alternatives& alternatives, StateFiles& files) {
  AddEmptyFiles(input, view, files);
  AddXz(view, alternatives);
  AddFontconfig(view, files);
  AddR(view, files);
  AddPam(view, files);
  if (view.HasPackage("libpaper1")) files.AddFile("etc/papersize", fmt::format("{}\n", kPaper));
  if (view.HasPackage("openssh-client")) accounts.AddGroup("_ssh");
  // base-passwd of both suites has that user already.
  if (view.HasPackage("apt")) accounts.AddUser({.name = "_apt", .comment = "", .group = ""});
  for (std::string_view glib : {"libglib2.0-0", "libglib2.0-0t64"}) {
    if (!view.HasPackage(glib)) continue;
    files.AddDirectory(fmt::format("usr/lib/{}/gio/modules", Triplet(input.architecture)));
    if (!view.Folder("usr/share/glib-2.0/schemas").empty()) {
      files.Warn(
          fmt::format("{}: settings' schemas were not compiled (glib-compile-schemas); "
                      "programs that read GSettings will not start",
                      glib));
    }
  }
  for (const Warning& warning : kWarnings) {
    if (view.HasPackage(warning.package)) files.Warn(std::string(warning.text));
  }
}

std::vector<Diversion> DiversionsOf(const StateInput& input, const PackageView& view) {
  std::vector<Diversion> diversions;
  if (input.suite == specs::Suite::kBookworm) {
    if (!view.HasPackage("dash")) return diversions;
    if (view.File("usr/share/man/man1") != nullptr) {
      diversions.push_back(
          {"/usr/share/man/man1/sh.1.gz", "/usr/share/man/man1/sh.distrib.1.gz", "dash"});
    }
    diversions.push_back({"/bin/sh", "/bin/sh.distrib", "dash"});
    return diversions;
  }
  // The transition to merged /usr (DEP 17) keeps the old paths of moved libraries from being lost.
  for (std::string_view name : {"lib32", "libo32", "libx32"}) {
    if (!view.HasPackage("base-files")) break;
    diversions.push_back(
        {fmt::format("/{}", name), fmt::format("/.{}.usr-is-merged", name), "base-files"});
  }
  if (view.HasPackage("libc6")) {
    const std::string linker = input.architecture == specs::Architecture::kAmd64
                                   ? "/lib64/ld-linux-x86-64.so.2"
                                   : "/lib/ld-linux-aarch64.so.1";
    diversions.push_back({linker, linker + ".usr-is-merged", "libc6"});
  }
  for (std::string_view package : {"libreadline8t64", "libtirpc3t64"}) {
    if (!view.HasPackage(package)) continue;
    const std::string folder = fmt::format("usr/lib/{}/", Triplet(input.architecture));
    for (const layers::FileFacts& file : view.Find(package)->files) {
      if (!file.path.starts_with(folder) || file.path.find(".so.") == std::string::npos) continue;
      const std::string path = fmt::format("/{}", file.path.substr(4));
      diversions.push_back({path, path + ".usr-is-merged", std::string(package)});
    }
  }
  return diversions;
}

}  // namespace imgbuild::builder
