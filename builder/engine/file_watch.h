// Files and folders of the host, watched for changes by inotify(7).
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "layers/io/file.h"

namespace imgbuild::builder {

class FileWatch {
 public:
  // Throws Error where the kernel has no more of it.
  FileWatch();

  // Watches these from now on, and nothing else; what has happened meanwhile to those of them that
  // were watched before is still told. A file by its name in its folder, so that editors that
  // replace it are noticed and it may be missing; a folder so, too, and with all below it but
  // version control, virtual environments and caches.
  void Watch(const std::vector<std::filesystem::path>& places);

  // Readable when something happened.
  int fd() const { return inotify_.get(); }
  // Takes what has happened; whether any of it was about what is watched. Folders that are new are
  // watched, too.
  bool Changed();

 private:
  struct Folder {
    std::filesystem::path path;
    std::set<std::string> names;  // that count; where `whole`, all do
    bool whole = false;
  };

  // Null where it is gone meanwhile.
  Folder* Add(const std::filesystem::path& folder);
  void AddWhole(const std::filesystem::path& folder);

  layers::FileDescriptor inotify_;
  std::map<int, Folder> folders_;  // by watch descriptor
};

}  // namespace imgbuild::builder
