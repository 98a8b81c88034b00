#include "builder/state/script_effects.h"

#include <string>
#include <vector>

#include <fmt/format.h>

#include "builder/state/script.h"
#include "builder/state/script_rules.h"
#include "builder/state/sysusers.h"
#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

constexpr std::size_t kShownLines = 4;
constexpr std::size_t kShownScripts = 5;

std::string Describe(const layers::PackageFacts& package, std::string_view member,
                     const Script& script) {
  std::string text = fmt::format("{} {} {} (fingerprint {}):", package.name, package.version,
                                 member, script.Fingerprint());
  for (std::size_t i = 0; i < script.residue.size() && i < kShownLines; ++i) {
    text += fmt::format("\n    {}", script.residue[i].substr(0, 160));
  }
  if (script.residue.size() > kShownLines) {
    text +=
        fmt::format("\n    and {} more", specs::Count(script.residue.size() - kShownLines, "line"));
  }
  return text;
}

}  // namespace

void ReadScripts(const PackageView& view, Accounts& accounts, Alternatives& alternatives) {
  std::vector<std::string> unknown;
  for (const layers::PackageFacts* package : view.debs()) {
    for (std::string_view member : {"preinst", "postinst"}) {
      auto text = package->control.find(std::string(member));
      if (text == package->control.end()) continue;
      Script script = ReadScript(text->second);
      for (Alternative& alternative : script.alternatives) alternatives.Add(std::move(alternative));
      if (script.sysusers) AddSysusers(*package, accounts);
      if (!script.residue.empty() && !KnownScript(script.Fingerprint())) {
        unknown.push_back(Describe(*package, member, script));
      }
    }
  }
  if (unknown.empty()) return;
  const std::size_t count = unknown.size();
  if (count > kShownScripts) {
    unknown.resize(kShownScripts);
    unknown.push_back(fmt::format("and {} more", specs::Count(count - kShownScripts, "script")));
  }
  throw specs::Error(fmt::format("{} of Debian packages would do something at installation that "
                                 "is not known here",
                                 specs::Count(count, "script")))
      .Found(specs::Join(unknown, "\n  "))
      .Expected("scripts whose effects can be made without running them")
      .Hint(
          "leave the package out of system.packages or take another that does the same; "
          "docs/debian-state.md says how a script becomes known");
}

}  // namespace imgbuild::builder
