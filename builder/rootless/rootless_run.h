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

// Runs it to its end; the exit status of its first process, or 128 and the number of the signal
// that ended it. The terminal belongs afterwards to whom it belonged before. `started` gets the
// process that signals are to be sent to. The network is the host's. Throws Error where it cannot
// be started.
int RunRootless(const RootlessRun& run, const std::function<void(pid_t keeper)>& started);

}  // namespace imgbuild::builder
