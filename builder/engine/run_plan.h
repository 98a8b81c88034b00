// How a container of an image is to run, and how each engine is told so.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "builder/engine/engine.h"
#include "specs/env/spec.h"

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

// Content that outlives the container.
struct NamedVolume {
  std::string name;
  std::string path;  // in the container

  bool operator==(const NamedVolume&) const = default;
};

// A variable that services take a secret from.
struct SecretVariable {
  std::string name;
  bool required = false;  // there is a service that does not start without it

  bool operator==(const SecretVariable&) const = default;
};

struct RunPlan {
  std::string image;        // as the engine knows it
  std::string container;    // name; "": the engine's choice
  std::string environment;  // what `down`, `ps` and `logs` find it by; "": nothing
  std::string spec;         // its file, absolute, for `down`; "": unknown
  std::vector<PublishedPort> ports;
  std::string folder;  // of the host, at `workdir`; "": none
  std::string workdir;
  FolderLabel label = FolderLabel::kNone;
  std::vector<NamedVolume> volumes;
  std::uint32_t uid = 0;                    // CallerOf
  std::optional<std::uint32_t> image_user;  // the image's uid, where that is known
  std::uint32_t image_group = 0;            // and its gid, where the spec has one
  std::map<std::string, std::string> env;   // beside the image's
  std::vector<std::string> variables;       // names, whose values are taken over from here
  std::vector<SecretVariable> secrets;      // in order of name
  bool supervised = false;                  // services run below imgbuild's supervisor
  bool changes_users = false;               // some of them as users of their own
  bool uses_user_home = false;              // and of these some as the user of /home/user
  bool health_timer = false;                // systemd asks for podman how a container is
  std::uint64_t stop_seconds = 0;  // that services may take to end; 0: the engine's default
  bool gpu = false;
  bool input = false;        // standard input is the command's
  bool interactive = false;  // a terminal on both sides
  bool detached = false;
  std::vector<std::string> command;
};

// The label that containers of `imgbuild up` carry, with the environment's name as its value.
inline constexpr std::string_view kEnvironmentLabel = "imgbuild.environment";
// And its spec's file.
inline constexpr std::string_view kSpecLabel = "imgbuild.spec";

// What a plan means to an engine, whatever it is told by: a command line or a file.
struct ContainerSettings {
  struct Mount {
    std::string source;  // a folder of the host, or a volume's name
    std::string target;
    std::string options;  // "z"; or ""
    bool is_volume = false;
  };

  std::string user;    // "0:0"; "": the image's
  std::string userns;  // "keep-id:uid=1000,gid=1000"; "": the engine's
  std::vector<Mount> mounts;
  std::vector<std::string> security;  // "label=disable"
  std::vector<std::string> publish;   // "127.0.0.1:8888:8888"
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> env;
};

// Throws Error where the folder cannot be mounted.
ContainerSettings SettingsFor(const Engine& engine, const RunPlan& plan);

// The command that asks the supervisor inside the container; none where it does not run.
std::vector<std::string> HealthCommand(const RunPlan& plan,
                                       specs::Health health = specs::Health::kReady);

// The engine's whole command line. Values of variables are not in it: they may be secrets.
std::vector<std::string> RunArguments(const Engine& engine, const RunPlan& plan);

}  // namespace imgbuild::builder
