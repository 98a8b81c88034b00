// What the scripts of the base packages leave behind (FHS 3.0; Debian Policy 6.5): base-files,
// libc-bin, netbase, debianutils, readline-common, tzdata, dash, Python.
#pragma once

#include "builder/state/package_view.h"
#include "builder/state/state.h"
#include "builder/state/state_files.h"

namespace imgbuild::builder {

// Links of merged /usr that no package of the suite brings.
void AddMergedUsr(const StateInput& input, const PackageView& view, StateFiles& files);

// Each does nothing where its package is not in the image; throws Error where the package lacks
// what its script would read.
void AddBaseFiles(const StateInput& input, const PackageView& view, StateFiles& files);
void AddNameService(const PackageView& view, StateFiles& files);  // nsswitch.conf, hosts, networks
void AddShells(const PackageView& view, StateFiles& files);
void AddInputrc(const PackageView& view, StateFiles& files);
void AddPython(const PackageView& view, StateFiles& files);

// etc/localtime, on bookworm etc/timezone too. Throws as RequireTimezone does.
void AddTimezone(const StateInput& input, const PackageView& view, StateFiles& files);

}  // namespace imgbuild::builder
