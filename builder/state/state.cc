#include "builder/state/state.h"

#include <algorithm>

#include <fmt/format.h>

#include "builder/state/accounts.h"
#include "builder/state/alternatives.h"
#include "builder/state/base_system.h"
#include "builder/state/certificates.h"
#include "builder/state/dpkg_database.h"
#include "builder/state/ld_cache.h"
#include "builder/state/package_effects.h"
#include "builder/state/package_view.h"
#include "builder/state/script_effects.h"
#include "builder/state/state_files.h"

namespace imgbuild::builder {

SystemState MakeSystemState(const StateInput& input) {
  const PackageView view(input);
  StateFiles files;
  Accounts accounts(view);
  Alternatives alternatives;

  ReadScripts(view, accounts, alternatives);
  AddMergedUsr(input, view, files);
  AddBaseFiles(input, view, files);
  AddNameService(view, files);
  AddShells(view, files);
  AddInputrc(view, files);
  AddPython(view, files);
  AddTimezone(input, view, files);
  AddCertificates(input, view, files);
  AddPackageEffects(input, view, accounts, alternatives, files);

  accounts.AddImageUser(input, files);
  accounts.Write(view, files);
  alternatives.Write(view, files);
  AddLdCache(input, view, files);  // looks through the alternatives' links
  if (HasDpkg(input.packages)) {
    AddDpkgDatabase(input, view, DiversionsOf(input, view), files);
  }

  SystemState state;
  state.files = files.TakeTree();
  state.warnings = files.TakeWarnings();
  return state;
}

std::pair<std::string, layers::ContentFile> RenderStatusD(const layers::PackageFacts& package) {
  return {fmt::format("var/lib/dpkg/status.d/{}", package.name),
          layers::MakeFile(RenderStatus(package))};
}

bool HasDpkg(std::span<const layers::PackageFacts* const> packages) {
  return std::ranges::any_of(
      packages, [](const layers::PackageFacts* package) { return package->name == "dpkg"; });
}

}  // namespace imgbuild::builder
