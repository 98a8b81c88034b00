// A container that this program stays beside: its logs are passed on, its page is opened, and it is
// replaced when what it is made of changes.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "builder/cli/container.h"
#include "builder/engine/file_watch.h"
#include "builder/host/environment.h"

namespace imgbuild::builder {

struct FollowOptions {
  bool open = false;   // the first address that is announced, in the browser
  bool leave = false;  // as soon as that is done; the container goes on
  // Of PlacesOf, from before the image was built. Null: nothing is watched.
  FileWatch* watch = nullptr;
  // Builds what has changed and says how it is to run, ports as the spec has them. What it throws
  // is shown, and the container stays.
  std::function<Container()> rebuild;
};

// Starts it and passes on what it says until it ends; its exit status. An interrupt stops and
// removes it first, and says which packages go with it.
int FollowContainer(Session& session, Container container, const FollowOptions& options);

// The address in a line of an announcement, as the supervisor writes it for people or as JSON; ""
// in other lines, those of services' logs among them.
std::string AddressIn(std::string_view line);

// Whether any service announces an address that a browser opens.
bool AnnouncesAddress(const specs::Spec& spec);

// What an image is made of besides its lock: the spec, what lies over and below it, requirement
// files, [[files]], [[artifacts]] of this machine, certificates, local wheels and pyproject.toml.
std::vector<std::filesystem::path> PlacesOf(const specs::LoadedSpec& loaded);

// The program that opens addresses: xdg-open or open, from PATH; "" where there is none.
std::string OpenerIn(const Environment& environment);

}  // namespace imgbuild::builder
