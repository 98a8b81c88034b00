// What earlier pushes left behind that makes later ones cheaper: uploads that were cut off, and
// which repository of a registry has which blob. Hints only: each is checked with the registry.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
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
// it.
class PushMemory {
 public:
  explicit PushMemory(std::filesystem::path folder) : folder_(std::move(folder)) {}

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

 private:
  std::filesystem::path UploadFile(std::string_view repository, const specs::Sha256& blob) const;
  std::filesystem::path HomeFile(std::string_view host, const specs::Sha256& blob) const;

  std::filesystem::path folder_;
};

}  // namespace imgbuild::builder
