#include "builder/state/package_view.h"

#include <algorithm>

#include <fmt/format.h>

#include "specs/base/error.h"

namespace imgbuild::builder {

using layers::FileFacts;
using layers::PackageFacts;

PackageView::PackageView(const StateInput& input) : debs_(input.packages) {
  std::ranges::sort(
      debs_, {}, [](const PackageFacts* package) -> const std::string& { return package->name; });
  all_ = debs_;
  all_.insert(all_.end(), input.others.begin(), input.others.end());
  std::size_t count = 0;
  for (const PackageFacts* package : all_) count += package->files.size();
  files_.reserve(count);
  for (const PackageFacts* package : all_) {
    for (const FileFacts& file : package->files) files_.try_emplace(file.path, &file);
  }
}

const PackageFacts* PackageView::Find(std::string_view name) const {
  auto name_of = [](const PackageFacts* package) { return std::string_view(package->name); };
  auto found = std::ranges::lower_bound(debs_, name, {}, name_of);
  return found != debs_.end() && (*found)->name == name ? *found : nullptr;
}

const FileFacts* PackageView::File(std::string_view path) const {
  auto found = files_.find(path);
  return found == files_.end() ? nullptr : found->second;
}

std::optional<std::string_view> PackageView::Content(std::string_view path) const {
  for (const PackageFacts* package : debs_) {
    auto found = package->contents.find(std::string(path));
    if (found != package->contents.end()) return found->second;
  }
  return std::nullopt;
}

std::string_view PackageView::Need(std::string_view package, std::string_view path) const {
  std::optional<std::string_view> content = Content(path);
  if (!content) {
    throw specs::Error(fmt::format("{} does not bring /{}", package, path))
        .Expected("the file that its installation script reads")
        .Hint(fmt::format("is another version of {} to be had?", package));
  }
  return *content;
}

std::map<std::string_view, const FileFacts*> PackageView::Folder(std::string_view folder) const {
  std::map<std::string_view, const FileFacts*> found;
  const std::string prefix = fmt::format("{}/", folder);
  for (const PackageFacts* package : all_) {
    auto path_of = [](const FileFacts& file) { return std::string_view(file.path); };
    auto file = std::ranges::lower_bound(package->files, std::string_view(prefix), {}, path_of);
    for (; file != package->files.end() && file->path.starts_with(prefix); ++file) {
      const std::string_view name = std::string_view(file->path).substr(prefix.size());
      if (name.find('/') == std::string_view::npos) found.try_emplace(name, &*file);
    }
  }
  return found;
}

}  // namespace imgbuild::builder
