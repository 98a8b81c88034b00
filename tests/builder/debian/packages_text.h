// Makes the text of a Packages file out of the fields that matter to a test.
#pragma once

#include <string>
#include <string_view>

#include "builder/debian/package_index.h"

namespace imgbuild::builder {

// One stanza; `fields` are further lines such as "Depends: b\n".
inline std::string Stanza(std::string_view name, std::string_view version,
                          std::string_view fields = "") {
  std::string text = "Package: " + std::string(name) + "\nVersion: " + std::string(version) +
                     "\nArchitecture: amd64\nFilename: pool/" + std::string(name) +
                     ".deb\nSize: 1\nSHA256: " + std::string(64, 'a') + "\n";
  return text + std::string(fields) + "\n";
}

inline PackageIndex IndexOf(const std::string& packages) {
  return PackageIndex::FromText({{"main", packages}}, specs::Architecture::kAmd64);
}

}  // namespace imgbuild::builder
