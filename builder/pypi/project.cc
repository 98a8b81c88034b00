#include "builder/pypi/project.h"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <utility>

#include "specs/python/name.h"
#include "specs/python/tags.h"

namespace imgbuild::builder {
namespace {

// Files of one release stand together and spell name and version alike, so that both are looked at
// once for each spelling: a page has thousands of files, but few releases.
class ReleaseCollector {
 public:
  explicit ReleaseCollector(std::string_view project) : project_(project) {}

  void Add(std::string_view filename, std::uint32_t index) {
    std::optional<std::size_t> release = IsWheel(filename) ? OfWheel(filename) : OfSdist(filename);
    if (release) releases_[*release].files.push_back(index);
  }

  std::vector<Release> Finish() {
    std::stable_sort(releases_.begin(), releases_.end(),
                     [](const Release& a, const Release& b) { return a.version < b.version; });
    std::vector<Release> merged;
    for (Release& release : releases_) {
      if (!merged.empty() && merged.back().version == release.version) {
        std::vector<std::uint32_t>& files = merged.back().files;
        files.insert(files.end(), release.files.begin(), release.files.end());
        std::sort(files.begin(), files.end());
      } else if (!release.files.empty()) {
        merged.push_back(std::move(release));
      }
    }
    return merged;
  }

 private:
  bool IsOurName(std::string_view name) {
    if (name == last_name_) return last_is_ours_;
    last_name_ = name;
    last_is_ours_ = specs::NormalizeName(name) == project_;
    return last_is_ours_;
  }

  std::optional<std::size_t> OfVersion(std::string_view text) {
    auto [entry, added] = by_text_.try_emplace(std::string(text));
    if (added) {
      if (std::optional<specs::Version> version = specs::Version::Parse(text)) {
        entry->second = releases_.size();
        releases_.push_back({std::move(*version), std::string(text), {}});
      }
    }
    return entry->second;
  }

  std::optional<std::size_t> OfWheel(std::string_view filename) {
    std::size_t name_end = filename.find('-');
    if (name_end == std::string_view::npos) return std::nullopt;
    std::size_t version_end = filename.find('-', name_end + 1);
    if (version_end == std::string_view::npos) return std::nullopt;
    if (!IsOurName(filename.substr(0, name_end))) return std::nullopt;
    return OfVersion(filename.substr(name_end + 1, version_end - name_end - 1));
  }

  std::optional<std::size_t> OfSdist(std::string_view filename) {
    std::string_view stem = filename;
    for (std::string_view end : {".tar.gz", ".zip"}) {
      if (stem.ends_with(end)) stem.remove_suffix(end.size());
    }
    std::size_t dash = stem.rfind('-');
    if (dash == std::string_view::npos) return std::nullopt;
    if (IsOurName(stem.substr(0, dash))) return OfVersion(stem.substr(dash + 1));
    std::optional<specs::Version> version = specs::SdistVersion(filename, project_);
    return version ? OfVersion(version->Render()) : std::nullopt;
  }

  std::string_view project_;
  std::string_view last_name_;
  bool last_is_ours_ = false;
  std::unordered_map<std::string, std::optional<std::size_t>> by_text_;
  std::vector<Release> releases_;
};

}  // namespace

bool IsWheel(std::string_view filename) { return filename.ends_with(".whl"); }

Project MakeProject(std::string name, FoundPage found) {
  Project project;
  project.name = std::move(name);
  project.index = found.index;
  project.page = std::move(found.page);
  ReleaseCollector collector(project.name);
  for (std::size_t i = 0; i < project.page.size(); ++i) {
    collector.Add(project.page.filename(i), static_cast<std::uint32_t>(i));
  }
  project.releases = collector.Finish();
  return project;
}

}  // namespace imgbuild::builder
