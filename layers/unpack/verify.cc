#include "layers/unpack/verify.h"

#include <fmt/format.h>

#include "layers/io/file.h"
#include "layers/io/hashing.h"
#include "specs/base/error.h"

namespace imgbuild::layers {

void VerifyFile(const std::filesystem::path& path, const specs::Sha256& expected) {
  FileSource file(path);
  HashingSource hashed(file);
  NullSink nowhere;
  CopyAll(hashed, nowhere);
  specs::Sha256 found = hashed.Finish();
  if (found == expected) return;
  throw specs::Error(specs::ErrorKind::kVerification,
                     fmt::format("{} has the wrong SHA-256", path.filename().string()))
      .Found(found.Hex())
      .Expected(expected.Hex())
      .Hint("the file is not the one that was locked; remove it so that it is fetched again");
}

}  // namespace imgbuild::layers
