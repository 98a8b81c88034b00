#include "builder/state/state_files.h"

#include <fmt/format.h>

#include "specs/base/error.h"

namespace imgbuild::builder {

void StateFiles::AddFile(std::string_view path, std::string content, std::uint32_t mode,
                         std::uint32_t uid, std::uint32_t gid) {
  Add(path, layers::MakeFile(std::move(content), mode, uid, gid));
}

void StateFiles::AddLink(std::string_view path, std::string target) {
  Add(path, layers::MakeSymlink(std::move(target)));
}

void StateFiles::AddDirectory(std::string_view path, std::uint32_t mode, std::uint32_t uid,
                              std::uint32_t gid) {
  Add(path, layers::MakeDirectory(mode, uid, gid));
}

const layers::ContentFile* StateFiles::Find(std::string_view path) const {
  auto found = tree_.find(std::string(path));
  return found == tree_.end() ? nullptr : &found->second;
}

void StateFiles::Add(std::string_view path, layers::ContentFile file) {
  auto [place, added] = tree_.try_emplace(std::string(path), std::move(file));
  if (!added && place->second != file) {
    throw specs::Error(fmt::format("two packages' installation write /{} differently", path))
        .Hint("leave one of the packages out; \"imgbuild plan\" lists them");
  }
}

}  // namespace imgbuild::builder
