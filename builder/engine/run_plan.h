// How a container of an image is to run, and how each engine is told so.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "builder/engine/engine.h"

namespace imgbuild::builder {

struct PublishedPort {
  std::uint32_t inside = 0;
  std::uint32_t outside = 0;  // on loopback

  bool operator==(const PublishedPort&) const = default;
};

// What SELinux needs to let the container into the host's folder.
enum class FolderLabel {
  kNone,     // SELinux is not in force
  kRelabel,  // the folder gets the containers' label
  kDisable,  // a folder of others, too: it keeps its label, and the container goes unlabelled
};

struct RunPlan {
  std::string image;        // as the engine knows it
  std::string container;    // name; "": the engine's choice
  std::string environment;  // what `down`, `ps` and `logs` find it by; "": nothing
  std::vector<PublishedPort> ports;
  std::string folder;  // of the host, at `workdir`; "": none
  std::string workdir;
  FolderLabel label = FolderLabel::kNone;
  std::string home_volume;  // at `home`; "": none
  std::string home = "/home/user";
  std::uint32_t uid = 0;                    // of whoever runs this program
  std::optional<std::uint32_t> image_user;  // the image's uid, where it is a number
  std::vector<std::string> variables;       // names, whose values are taken over from here
  bool gpu = false;
  bool interactive = false;  // a terminal on both sides
  bool detached = false;
  std::vector<std::string> command;
};

// The label that containers of `imgbuild up` carry, with the environment's name as its value.
inline constexpr std::string_view kEnvironmentLabel = "imgbuild.environment";

// The engine's whole command line. Values of variables are not in it: they may be secrets.
std::vector<std::string> RunArguments(const Engine& engine, const RunPlan& plan);

}  // namespace imgbuild::builder
