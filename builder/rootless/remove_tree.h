// Removal of trees that may be full of links and closed folders.
#pragma once

#include <string>

namespace imgbuild::builder {

// Removes the entry `name` of the open folder with all below it, never through a link and never
// what is mounted there. What cannot be removed stays. True where it is gone.
bool RemoveAt(int folder, const std::string& name);

}  // namespace imgbuild::builder
