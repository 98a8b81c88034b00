// An image started in namespaces of its own, without an engine and without being root.
//
// Three processes: this program, which waits; a keeper, which is in the user namespace, hands
// signals on, and removes what the run wrote once it has ended; and the image's first process,
// number 1 of its own process namespace, with mounts that nobody else sees. When one goes, so do
// those after it, whatever became of it, and what a killed keeper leaves the next run removes.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

#include "builder/rootless/id_maps.h"
#include "builder/rootless/mount_plan.h"
#include "builder/rootless/root_folder.h"

namespace imgbuild::builder {

struct RootlessRun {
  std::filesystem::path base;  // RootlessFolder of image_tree.h
  std::filesystem::path tree;  // below it
  IdMaps maps;
  UserIds user;                    // in the image
  std::vector<std::string> words;  // the program and its arguments
  std::vector<std::string> env;    // "NAME=value"
  std::string workdir;             // "/work"
  // Of the image, by canonical path: what they have in this run instead.
  std::map<std::string, std::string> files;
  std::vector<SharedFolder> folders;  // of the host
  std::vector<SharedFolder> volumes;  // those that are empty get what the image has there
};

// Looks at what a run wrote over the image's files, by their paths in the image, before that is
// removed. Called in the keeper.
using LookAtWritten = std::function<std::string(const RootFolder& written)>;

struct RunEnd {
  int status = 0;    // of its first process; 128 and the signal's number where one ended it
  std::string seen;  // what LookAtWritten returned; "" where it could not look
};

// Runs it to its end. The terminal belongs afterwards to whom it belonged before. `started` gets
// the process that signals are to be sent to. `look` may be null. The network is the host's. Throws
// Error where it cannot be started.
RunEnd RunRootless(const RootlessRun& run, const std::function<void(pid_t keeper)>& started,
                   const LookAtWritten& look);

}  // namespace imgbuild::builder
