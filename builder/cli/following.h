// A container that this program stays beside: its logs are passed on, its page is opened, and it is
// replaced when what it is made of changes.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "builder/cli/container.h"
#include "builder/host/environment.h"

namespace imgbuild::builder {

struct FollowOptions {
  bool open = false;   // the first address that is announced, in the browser
  bool leave = false;  // as soon as that is done; the container goes on
  // Builds what has changed and says how it is to run, ports as the spec has them. What it throws
  // is shown, and the container stays. Null: nothing is watched.
  std::function<Container()> rebuild;
};

// Starts it and passes on what it says until it ends; its exit status. An interrupt stops and
// removes it first.
int FollowContainer(Session& session, Container container, const FollowOptions& options);

// The address in a line of an announcement; "" in other lines, those of services' logs among them.
std::string AddressIn(std::string_view line);

// What an image is made of besides its lock: the spec, what lies over and below it, requirement
// files, [[files]], certificates and local wheels.
std::vector<std::filesystem::path> PlacesOf(const specs::LoadedSpec& loaded);

// The program that opens addresses: xdg-open or open, from PATH; "" where there is none.
std::string OpenerIn(const Environment& environment);

}  // namespace imgbuild::builder
