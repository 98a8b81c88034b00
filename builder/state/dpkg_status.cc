#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "builder/state/dpkg_database.h"
#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/debian/control.h"

namespace imgbuild::builder {
namespace {

// dpkg writes these first, in this order, then whatever else there is.
constexpr auto kOrder = std::to_array<std::string_view>(
    {"Package",      "Essential",      "Protected",   "Status",     "Priority",
     "Section",      "Installed-Size", "Origin",      "Maintainer", "Bugs",
     "Architecture", "Multi-Arch",     "Source",      "Version",    "Replaces",
     "Provides",     "Depends",        "Pre-Depends", "Recommends", "Suggests",
     "Breaks",       "Conflicts",      "Enhances",    "Conffiles",  "Description"});

// " /etc/file md5" for each; a file whose content is not at hand is left out, so that dpkg takes
// it for one that the package never had.
std::string Conffiles(const layers::PackageFacts& package) {
  std::string text;
  auto list = package.control.find("conffiles");
  if (list == package.control.end()) return text;
  for (std::string_view line : specs::Split(list->second, '\n')) {
    line = specs::Trim(line);
    if (!line.starts_with('/')) continue;  // "remove-on-upgrade /etc/file"
    auto content = package.contents.find(std::string(line.substr(1)));
    if (content == package.contents.end()) continue;
    text += fmt::format("\n{} {}", line, specs::Md5Hex(content->second));
  }
  return text;
}

}  // namespace

std::string RenderStatus(const layers::PackageFacts& package) {
  auto control = package.control.find("control");
  if (control == package.control.end()) {
    throw specs::Error(fmt::format("{} has no control file", package.name));
  }
  std::vector<specs::ControlStanza> stanzas =
      specs::ParseControl(control->second, package.name + "/control");
  if (stanzas.size() != 1) {
    throw specs::Error(fmt::format("{} has no single control paragraph", package.name));
  }
  specs::ControlStanza& stanza = stanzas[0];
  stanza.Set("Status", "install ok installed");
  if (std::string conffiles = Conffiles(package); !conffiles.empty()) {
    stanza.Set("Conffiles", conffiles);
  }
  auto rank = [](const specs::ControlField& field) {
    return std::ranges::find(kOrder, std::string_view(field.name)) - kOrder.begin();
  };
  std::ranges::stable_sort(stanza.fields, {}, rank);
  return specs::RenderControl(stanzas);
}

}  // namespace imgbuild::builder
