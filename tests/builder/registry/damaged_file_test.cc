#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "builder/registry/blob_upload.h"
#include "layers/io/atomic_file.h"
#include "specs/base/error.h"
#include "tests/builder/registry/registry_fixture.h"

namespace imgbuild::builder {
namespace {

using support::MiniRegistry;
using support::ServedRequest;
using testing::HasSubstr;

constexpr std::size_t kBlobSize = 700'000;

class DamagedFileTest : public RegistryFixture {
 protected:
  DamagedFileTest() { layers::WriteFileAtomically(file_, bytes_); }

  void Damage(std::size_t position) const {
    std::fstream file(file_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(position));
    file.put(static_cast<char>(~bytes_[position]));
  }

  void Upload(const MiniRegistry& server, const UploadOptions& options) {
    Registry registry = Open(server);
    const PushBlob blob{specs::HashOf(bytes_), bytes_.size(), file_};
    UploadBlob(
        registry, memory_, blob, [](std::uint64_t) {}, options);
  }

  // Requires that it fails for the file.
  void ExpectDamaged(const MiniRegistry& server, const UploadOptions& options) {
    try {
      Upload(server, options);
      ADD_FAILURE() << "no error";
    } catch (const specs::Error& error) {
      EXPECT_EQ(error.kind(), specs::ErrorKind::kVerification);
      EXPECT_THAT(error.what(), HasSubstr(file_.string() + " is damaged"));
    }
  }

  static std::size_t Count(const MiniRegistry& server, const std::string& method) {
    std::size_t count = 0;
    for (const ServedRequest& request : server.requests()) count += request.method == method;
    return count;
  }

  const std::string bytes_ = Noise(kBlobSize);
  const std::filesystem::path file_ = folder_.path() / "file";
};

// Neither in one request nor in several.
TEST_F(DamagedFileTest, IsNamedAndSentNoSecondTime) {
  for (std::uint64_t resumable : {kBlobSize + 1, kBlobSize}) {
    MiniRegistry server;
    layers::WriteFileAtomically(file_, bytes_);
    Damage(kBlobSize / 2);
    ExpectDamaged(server, {.backoff_ms = 1, .obtain = {}, .resumable_size = resumable});
    EXPECT_EQ(Count(server, "PUT"), 1u);
    EXPECT_EQ(Count(server, "POST"), 1u);
    EXPECT_TRUE(server.blobs().empty());
  }
}

// What an earlier run sent was right then.
TEST_F(DamagedFileTest, MayBeDamagedAfterWhatAnEarlierRunSent) {
  const UploadOptions options{
      .max_failures = 1, .backoff_ms = 1, .obtain = {}, .resumable_size = 100'000};
  MiniRegistry server;
  server.CutBodies([](std::size_t, const ServedRequest& request) {
    return request.method == "PATCH" ? std::optional<std::size_t>(300'000) : std::nullopt;
  });
  EXPECT_THROW(Upload(server, options), specs::Error);
  server.CutBodies({});
  Damage(kBlobSize - 10);
  ExpectDamaged(server, options);
  EXPECT_TRUE(server.blobs().empty());
}

}  // namespace
}  // namespace imgbuild::builder
