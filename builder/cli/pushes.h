// Where on registries an image goes, and its way there while it is built.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "builder/cli/registry_access.h"
#include "builder/cli/session.h"
#include "builder/registry/push.h"
#include "builder/registry/push_memory.h"
#include "layers/image/image_source.h"
#include "specs/oci/reference.h"

namespace imgbuild::builder {

// One repository, and what the image is to be called there.
struct PushTarget {
  specs::Reference repository;    // without tag
  std::vector<std::string> tags;  // at least one, each once

  // "registry.example/team/app:latest", the first of its names.
  std::string Name() const;
};

// Of "docker://HOST/NAME[:TAG]", each; several tags of one repository are one target. No tag means
// "latest". Throws Error (kUsage) for what is no such name, or has a digest.
std::vector<PushTarget> ParsePushTargets(const std::vector<std::string>& texts);

// "KEY=VALUE" each, the last of a key counts. Throws Error (kUsage) for anything else.
std::map<std::string, std::string> ParseAnnotations(const std::vector<std::string>& texts);

struct Pushed {
  PushTarget target;
  PushResult result;
};

// "pushed NAME@DIGEST", its tags, and what went over the network.
std::string RenderPushed(const Pushed& pushed, const specs::Sha256& digest);

// One image on its way to several repositories at once; to those of one registry each blob goes
// once, and is mounted then.
class Pushes {
 public:
  // Borrows the session. Makes no request yet. `upload` may say how blobs are obtained.
  Pushes(Session& session, std::vector<PushTarget> targets, const RegistryOptions& options,
         const UploadOptions& upload = {});
  ~Pushes();

  bool empty() const { return ways_.empty(); }
  // Whether all targets are at that registry: "registry.example:5000".
  bool AllGoTo(std::string_view host) const;

  // Asks each registry whether it lets us in, so that a wrong login shows before the work.
  void CheckAccess();

  // A blob of the image is there: its upload starts. Thread-safe.
  void Add(const PushBlob& blob);

  // A repository that is said to have the blob: registries may take it from there.
  void RememberHome(std::string_view host, std::string_view repository, const specs::Sha256& blob);

  // Everything that is left. Throws the first failure, after all targets were tried.
  std::vector<Pushed> Finish(const layers::ImageSource& image);

 private:
  struct Way;

  std::optional<PushMemory> memory_;  // of all ways, which take turns by it; none without any
  std::vector<std::unique_ptr<Way>> ways_;
};

}  // namespace imgbuild::builder
