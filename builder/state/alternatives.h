// The alternatives system (update-alternatives(1)): which of several programs has the generic name.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "builder/state/package_view.h"
#include "builder/state/state_files.h"

namespace imgbuild::builder {

struct AlternativeSlave {
  std::string link;  // absolute, as all paths here
  std::string name;
  std::string path;

  bool operator==(const AlternativeSlave&) const = default;
};

// One "update-alternatives --install LINK NAME PATH PRIORITY [--slave LINK NAME PATH]...".
struct Alternative {
  std::string link;
  std::string name;
  std::string path;
  int priority = 0;
  std::vector<AlternativeSlave> slaves;

  bool operator==(const Alternative&) const = default;
};

// Parses the command's words (after "update-alternatives"); options other than --install and
// --slave are Errors, and so are words with shell expansions left in them.
Alternative ParseAlternative(const std::vector<std::string>& words);

class Alternatives {
 public:
  // Of one name the highest priority wins, the first added among equals.
  void Add(Alternative alternative);

  // Links at the generic names and in etc/alternatives, and var/lib/dpkg/alternatives/NAME, in
  // automatic mode. What points at files that are not in the image is left out, as
  // update-alternatives does.
  void Write(const PackageView& view, StateFiles& files) const;

 private:
  std::map<std::string, std::vector<Alternative>> by_name_;
};

}  // namespace imgbuild::builder
