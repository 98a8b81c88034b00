// What pushes leave behind that makes others cheaper, later ones and those at the same time:
// uploads that were cut off, which repository of a registry has which blob, and how much one takes
// at once. Hints only: each is checked with the registry.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "specs/base/digest.h"

namespace imgbuild::builder {

// An upload that a registry began (OCI distribution-spec v1.1, "Pushing a blob in chunks").
struct UploadSession {
  std::string url;              // "" where there is none
  std::uint64_t min_chunk = 0;  // OCI-Chunk-Min-Length, of all chunks but the last; 0: none
  std::uint64_t max_chunk = 0;  // OCI-Chunk-Max-Length; 0: none

  bool operator==(const UploadSession&) const = default;
};

// Files in one folder, each replaced atomically; safe for several threads and processes. What
// cannot be read or written counts as not known: a push never fails for its memory. Files are
// readable by their owner alone, since the URL of an upload may be all that it takes to go on with
// it. Turns and the largest body are this process's, of an object and its copies.
class PushMemory {
 public:
  // A blob's way into a registry, which one thread has at a time.
  class Turn;

  explicit PushMemory(std::filesystem::path folder);

  // An upload of this blob to the repository "registry.example/team/app" that was begun and not
  // ended, at most a day ago.
  std::optional<UploadSession> UnfinishedUpload(std::string_view repository,
                                                const specs::Sha256& blob) const;
  void RememberUpload(std::string_view repository, const specs::Sha256& blob,
                      const UploadSession& session);
  void ForgetUpload(std::string_view repository, const specs::Sha256& blob);

  // A repository of the registry that has the blob, other than `repository`; "" where none is
  // known.
  std::string HomeOf(std::string_view host, std::string_view repository,
                     const specs::Sha256& blob) const;
  // One that was seen to have it; takes the place of any other.
  void RememberHome(std::string_view host, std::string_view repository, const specs::Sha256& blob);
  // One that is said to have it; counts where none is known.
  void SuggestHome(std::string_view host, std::string_view repository, const specs::Sha256& blob);
  void ForgetHome(std::string_view host, const specs::Sha256& blob);

  // Waits while another thread has that turn. Of several repositories that are to get the blob, the
  // first has it then, and the others may mount it from there. A thread takes one at a time.
  [[nodiscard]] Turn TakeTurn(std::string_view host, const specs::Sha256& blob) const;

  // How many bytes a request to the registry may have; 0 where no refusal told. Only ever less.
  std::uint64_t LargestBody(std::string_view host) const;
  void RememberLargestBody(std::string_view host, std::uint64_t size);

 private:
  using Key = std::pair<std::string, specs::Sha256>;  // of a turn: host and blob
  struct Shared;

  std::filesystem::path UploadFile(std::string_view repository, const specs::Sha256& blob) const;
  std::filesystem::path HomeFile(std::string_view host, const specs::Sha256& blob) const;

  std::filesystem::path folder_;
  std::shared_ptr<Shared> shared_;
};

// Lasts as long as the object.
class PushMemory::Turn {
 public:
  ~Turn();
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  friend class PushMemory;
  Turn(std::shared_ptr<Shared> shared, Key key);

  const std::shared_ptr<Shared> shared_;
  const Key key_;
};

}  // namespace imgbuild::builder
