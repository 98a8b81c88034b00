// dpkg's database, var/lib/dpkg (dpkg(1), deb-triggers(5), dpkg.cfg(5)), as after a fresh
// installation of all packages.
#pragma once

#include <string>
#include <vector>

#include "builder/state/package_view.h"
#include "builder/state/state.h"
#include "builder/state/state_files.h"

namespace imgbuild::builder {

// "dpkg-divert --package OWNER --divert TO --add FROM"; absolute paths.
struct Diversion {
  std::string from;
  std::string to;
  std::string owner;

  bool operator==(const Diversion&) const = default;
};

// The whole database; with the slim profile also etc/dpkg/dpkg.cfg.d/imgbuild, so that dpkg in the
// image leaves out what the image's own packages leave out.
void AddDpkgDatabase(const StateInput& input, const PackageView& view,
                     const std::vector<Diversion>& diversions, StateFiles& files);

// The paragraph of var/lib/dpkg/status: the control file with "Status: install ok installed" and
// its configuration files, in dpkg's order of fields.
std::string RenderStatus(const layers::PackageFacts& package);

}  // namespace imgbuild::builder
