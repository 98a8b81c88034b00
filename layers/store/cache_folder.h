// Folders of the cache, and what is said where they cannot be written.
#pragma once

#include <filesystem>
#include <utility>
#include <vector>

#include "specs/base/error.h"

namespace imgbuild::layers {

// Makes `folder` and what is missing above it. An Error tells the ways to another place.
void MakeFolder(const std::filesystem::path& folder);

// What lies in `folder`, in no order; nothing where it cannot be read. Never throws for entries
// that come and go meanwhile.
std::vector<std::filesystem::path> EntriesOf(const std::filesystem::path& folder);

// `error`, with the ways to another place where `path` lies below something that is no directory or
// cannot be written.
specs::Error ExplainCache(specs::Error error, const std::filesystem::path& path);

// Calls `action`, which writes `path` in the cache; an Error that leaves it is explained.
template <typename Action>
decltype(auto) InCache(const std::filesystem::path& path, Action&& action) {
  try {
    return std::forward<Action>(action)();
  } catch (specs::Error& error) {
    throw ExplainCache(std::move(error), path);
  }
}

}  // namespace imgbuild::layers
