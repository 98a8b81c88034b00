// Packages that are installed in an environment while it runs: they go when it goes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "builder/engine/engine.h"
#include "builder/rootless/root_folder.h"

namespace imgbuild::builder {

// Those that were asked for by name (REQUESTED of PEP 376), not what they brought along, and that
// the image does not have: "rich==13.7.1". Empty where the container cannot tell.
std::vector<std::string> AddedPackages(const Engine& engine, const std::string& container);

// The same of an image that ran without an engine. `site` is the site-packages of its virtual
// environment, as a canonical path; `known` is its /etc/imgbuild/packages.
std::vector<std::string> WrittenPackages(const RootFolder& written, const std::string& site,
                                         std::string_view known);

// What people are told of them: that they go, and what keeps them. `spec` is what comes after
// `imgbuild add NAMES`: "" or " --spec FILE".
std::string RenderAdded(const std::vector<std::string>& added, std::string_view spec);

// " --spec FILE", with which `imgbuild add` finds that spec from the current folder; "" where it
// does without.
std::string SpecOption(const std::string& file);

}  // namespace imgbuild::builder
