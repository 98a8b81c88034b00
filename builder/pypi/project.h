// One project of an index: its releases, each with its files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "builder/pypi/index_client.h"
#include "builder/pypi/simple_page.h"
#include "specs/python/version.h"

namespace imgbuild::builder {

struct Release {
  specs::Version version;
  std::string text;                  // as the first file writes it
  std::vector<std::uint32_t> files;  // indices into the page, in its order
};

struct Project {
  std::string name;  // normalised
  const IndexConfig* index = nullptr;
  SimplePage page;
  std::vector<Release> releases;  // by version, oldest first; equal spellings ("1.0", "1.0.0") once
};

// Files whose names do not belong to the project, or have no version of PEP 440, are left out.
Project MakeProject(std::string name, FoundPage found);

bool IsWheel(std::string_view filename);

}  // namespace imgbuild::builder
