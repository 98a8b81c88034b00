// Tars that hold images: oci-archives and docker-archives.
#include <cstdlib>
#include <filesystem>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include "layers/image/docker_archive_origin.h"
#include "layers/image/oci_archive_origin.h"
#include "layers/io/file.h"
#include "layers/io/hashing.h"
#include "specs/base/error.h"
#include "tests/fuzz/target.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::fuzz {
namespace {

// The bytes as a file that is nowhere on a disk.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view bytes) : fd_(memfd_create("archive", MFD_CLOEXEC)) {
    if (write(fd_.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) abort();
  }
  std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(fd_.get()); }

 private:
  layers::FileDescriptor fd_;
};

template <typename Origin>
void TryOne(layers::Store& store, const MemoryFile& file) {
  try {
    Origin origin(store, file.path(), "");
    for (const layers::SourceBlob& blob : layers::ReadImage(origin).blobs) {
      Require(layers::HashFile(blob.path) == blob.descriptor.digest, "a blob is what it is named");
    }
  } catch (const specs::Error&) {
  }
}

}  // namespace

void Try(std::string_view bytes) {
  static const support::TempFolder folder;
  static layers::Store store(folder.path());
  const MemoryFile file(bytes);
  TryOne<layers::DockerArchiveOrigin>(store, file);
  TryOne<layers::OciArchiveOrigin>(store, file);
  Require(std::filesystem::is_empty(store.paths().Temporary()), "nothing unfinished stays");
}

}  // namespace imgbuild::fuzz
