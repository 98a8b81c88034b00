// A registry in memory behind a real HTTP server on loopback (OCI distribution-spec v1.1): uploads
// in sessions, mounts, manifests, logins, and faults at any request.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/loopback_server.h"

namespace imgbuild::support {

enum class RegistryLogin { kNone, kBasic, kToken };

struct MiniRegistryOptions {
  RegistryLogin login = RegistryLogin::kNone;
  std::string user = "ann";
  std::string password = "secret";
  int token_uses = 0;             // a token is refused after so many requests; 0: never
  std::string forbidden;          // a repository that gets no token, nor any request beside it
  std::size_t chunk_min = 0;      // PATCH of less is refused
  std::size_t chunk_max = 0;      // a body of more is refused
  bool keeps_cut_uploads = true;  // else a session ends with its connection
  bool mounts = true;             // else it begins an upload instead
  // Range speaks of the last chunk, not of what was received, and Content-Range is not looked at.
  bool ranges_of_last_chunk = false;
};

class MiniRegistry {
 public:
  using Options = MiniRegistryOptions;

  explicit MiniRegistry(Options options = {});

  std::string host() const { return server_.url().substr(7); }
  std::vector<ServedRequest> requests() const { return server_.requests(); }

  // For each request, by its number from 0: answer that instead; or hang up after so many bytes of
  // its body, or before the answer.
  using Answering = std::function<std::optional<ServedResponse>(std::size_t, const ServedRequest&)>;
  using Cut = std::function<std::optional<std::size_t>(std::size_t, const ServedRequest&)>;
  void AnswerBy(Answering answer);
  void CutBodies(Cut cut);

  // What it holds: blobs and manifests by "repository@digest", tags by "repository:tag".
  std::map<std::string, std::string> blobs() const;
  std::map<std::string, std::string> manifests() const;
  std::map<std::string, std::string> tags() const;
  void PutBlob(const std::string& repository, const std::string& bytes);
  // For use inside an Answering.
  void PutBlobLocked(const std::string& repository, const std::string& bytes);
  void PutManifest(const std::string& repository, const std::string& tag, const std::string& bytes,
                   const std::string& media_type);

 private:
  struct Session {
    std::string repository;
    std::string bytes;
    std::size_t last_chunk = 0;
  };

  ServedResponse Handle(const ServedRequest& request);
  std::optional<ServedResponse> Login(const ServedRequest& request);
  ServedResponse Blob(const ServedRequest& request, const std::string& repository,
                      const std::string& digest);
  ServedResponse Begin(const std::string& repository, const std::string& query);
  ServedResponse Continue(const ServedRequest& request, const std::string& id,
                          const std::string& query);
  ServedResponse Manifest(const ServedRequest& request, const std::string& repository,
                          const std::string& reference);
  ServedResponse TagList(const std::string& repository) const;

  const Options options_;
  mutable std::mutex mutex_;
  std::size_t count_ = 0;
  Answering answer_;
  Cut cut_;
  std::map<std::string, std::string> blobs_;
  std::map<std::string, std::string> manifests_;
  std::map<std::string, std::string> media_types_;
  std::map<std::string, std::string> tags_;
  std::map<std::string, Session> sessions_;
  int next_session_ = 0;
  int tokens_ = 0;
  int token_used_ = 0;
  LoopbackServer server_;  // last: it serves at once
};

}  // namespace imgbuild::support
