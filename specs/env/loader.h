// From spec.toml to a Spec: what it extends, its local overlay and settings merged, all checked.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "specs/base/problems.h"
#include "specs/env/spec.h"

namespace imgbuild::specs {

// The content of a file, nullopt where there is none. May throw Error for one that cannot be read.
// Asked for the spec, its overlay, what it extends, requirement files and pyproject.toml only.
using ReadFile = std::function<std::optional<std::string>(const std::string& path)>;

// What a path of this machine has to be.
enum class LocalKind { kFile, kFileOrFolder };

// What is wrong with a path that is read once the spec is locked or built: "there is no file
// corp.crt"; "" for nothing.
using CheckLocal = std::function<std::string(const std::string& path, LocalKind kind)>;

enum class LocalOverlay { kApply, kIgnore };

struct SpecRequest {
  std::string file;  // "envs/notebook.toml"; names lock and overlay, too
  LocalOverlay overlay = LocalOverlay::kApply;
  std::vector<std::string> settings;  // "cuda.enabled=true": a key and a TOML value, in order
  ReadFile read_file;
  CheckLocal check_local = {};  // of [[files]], certificates and local wheels; null: unchecked
};

// Where the parts of a Spec were written.
struct SpecSources {
  std::string file;                   // as requested
  std::string folder;                 // the spec's folder, "." for the current one
  std::vector<std::string> extends;   // files it builds on, nearest first
  std::string overlay;                // the local overlay that was applied; "" if none
  std::vector<std::string> settings;  // the --set that were applied
  std::set<std::string> files;        // all that were asked for, whether they are there or not

  // Key -> place: "python.version", "services.web.port", "python.layers[1].packages[0]".
  std::map<std::string, SourcePosition, std::less<>> positions;
  // Parallel to Spec::python.layers[i].packages and to Spec::python.constraints; lines of
  // requirement files where they come from there.
  std::vector<std::vector<SourcePosition>> requirements;
  std::vector<SourcePosition> constraints;

  // The place of `key`, else of the nearest key around it, else the file.
  SourcePosition Where(std::string_view key) const;
  // What besides the committed spec went into it: then a changed lock belongs to
  // NAME.local.lock.
  bool IsLocal() const { return !overlay.empty() || !settings.empty(); }
};

struct LoadedSpec {
  Spec spec;
  SpecSources sources;
};

// Throws Error (kUsage) that lists every problem with its place.
LoadedSpec LoadSpec(const SpecRequest& request);

// "envs/notebook.toml" -> "envs/notebook.local.toml", "envs/notebook.lock",
// "envs/notebook.local.lock".
std::string OverlayPath(std::string_view spec_file);
std::string LockPath(std::string_view spec_file);
std::string LocalLockPath(std::string_view spec_file);

// Whether an entry of PythonLayer::packages is the path of a local wheel.
bool IsLocalWheel(std::string_view package);

// Where this host has the spec's local wheels, by file name, which is what locks know them by.
std::map<std::string, std::string> LocalWheels(const Spec& spec);

}  // namespace imgbuild::specs
