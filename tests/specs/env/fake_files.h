// Specs from memory.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "specs/env/loader.h"

namespace imgbuild::specs {

struct FakeFiles {
  std::map<std::string, std::string> files;
  std::vector<std::string> settings;
  LocalOverlay overlay = LocalOverlay::kApply;
  CheckLocal check_local = {};

  LoadedSpec Load(const std::string& file = "spec.toml") const {
    return LoadSpec({file, overlay, settings,
                     [this](const std::string& path) {
                       auto found = files.find(path);
                       return found == files.end() ? std::nullopt : std::optional(found->second);
                     },
                     check_local});
  }

  // What LoadSpec complains about; "" if nothing.
  std::string Complaint(const std::string& file = "spec.toml") const {
    try {
      (void)Load(file);
      return "";
    } catch (const Error& error) {
      return error.what();
    }
  }
};

inline LoadedSpec LoadText(const std::string& text) {
  return FakeFiles{{{"spec.toml", text}}}.Load();
}
// A canonical form has no URLs of artifacts: with `url` for the first one.
inline LoadedSpec LoadCanonical(std::string text, const std::string& url) {
  const std::string header = "[[artifacts]]\n";
  return LoadText(text.insert(text.find(header) + header.size(), "url = \"" + url + "\"\n"));
}
inline std::string ComplaintAbout(const std::string& text) {
  return FakeFiles{{{"spec.toml", text}}}.Complaint();
}

}  // namespace imgbuild::specs
