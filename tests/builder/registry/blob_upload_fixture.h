// Uploads of one blob to a small registry: what their tests share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "builder/registry/blob_upload.h"
#include "layers/io/atomic_file.h"
#include "specs/base/error.h"
#include "tests/builder/registry/registry_fixture.h"

namespace imgbuild::builder {

class BlobUploadFixture : public RegistryFixture {
 protected:
  using MiniRegistry = support::MiniRegistry;
  using ServedRequest = support::ServedRequest;
  using ServedResponse = support::ServedResponse;

  static constexpr std::size_t kSize = 300'000;

  BlobUploadFixture() {
    layers::WriteFileAtomically(folder_.path() / "blob", bytes_);
    blob_ = {specs::HashOf(bytes_), bytes_.size(), folder_.path() / "blob"};
  }

  BlobResult Upload(const MiniRegistry& server, const std::string& repository = "team/app",
                    Credentials credentials = {}) {
    Registry registry = Open(server, std::move(credentials), repository);
    told_ = 0;
    return UploadBlob(
        registry, memory_, blob_, [this](std::uint64_t bytes) { told_ += bytes; }, options_);
  }

  // Cuts the body of each PATCH after so many bytes.
  static void CutPatches(MiniRegistry& server, std::size_t bytes) {
    server.CutBodies([=](std::size_t, const ServedRequest& request) {
      return request.method == "PATCH" ? std::optional(bytes) : std::nullopt;
    });
  }

  // The sizes of bodies from that request on.
  static std::vector<std::size_t> Sizes(const MiniRegistry& server, const std::string& method,
                                        std::size_t from = 0) {
    std::vector<std::size_t> sizes;
    const std::vector<ServedRequest> requests = server.requests();
    for (std::size_t i = from; i < requests.size(); ++i) {
      if (requests[i].method == method) sizes.push_back(requests[i].body.size());
    }
    return sizes;
  }

  // Bytes of all bodies from that request on.
  static std::size_t Received(const MiniRegistry& server, std::size_t from = 0) {
    std::size_t received = 0;
    const std::vector<ServedRequest> requests = server.requests();
    for (std::size_t i = from; i < requests.size(); ++i) received += requests[i].body.size();
    return received;
  }

  // Cuts the first PATCH after so many bytes.
  static void CutFirstPatch(MiniRegistry& server, std::size_t bytes) {
    server.CutBodies([=, cut = false](std::size_t, const ServedRequest& request) mutable {
      if (request.method != "PATCH" || cut) return std::optional<std::size_t>();
      cut = true;
      return std::optional(bytes);
    });
  }

  // Answers that to the first `times` questions how far an upload is.
  static void AnswerQuestions(MiniRegistry& server, int times, const ServedResponse& answer) {
    server.AnswerBy([=](std::size_t, const ServedRequest& request) mutable {
      if (request.method != "GET" || request.target.find("/blobs/uploads/") == std::string::npos ||
          times == 0) {
        return std::optional<ServedResponse>();
      }
      --times;
      return std::optional(answer);
    });
  }

  std::optional<UploadSession> Note(const MiniRegistry& server) {
    return memory_.UnfinishedUpload(server.host() + "/team/app", blob_.digest);
  }

  bool IsThere(const MiniRegistry& server, const std::string& repository = "team/app") {
    const auto blobs = server.blobs();
    const auto found = blobs.find(repository + "@" + blob_.digest.Oci());
    return found != blobs.end() && found->second == bytes_;
  }

  const std::string bytes_ = Noise(kSize);
  PushBlob blob_;
  UploadOptions options_{.max_failures = 4, .backoff_ms = 1, .resumable_size = 100'000};
  std::uint64_t told_ = 0;
};

}  // namespace imgbuild::builder
