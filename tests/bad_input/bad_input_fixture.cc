#include "tests/bad_input/bad_input_fixture.h"

#include <fstream>

#include <gmock/gmock.h>

#include "layers/io/atomic_file.h"
#include "layers/io/file.h"
#include "specs/base/text.h"
#include "specs/env/lock.h"
#include "tests/whole_build/layout_reader.h"

namespace imgbuild::bad_input {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

BadInput::BadInput() {
  fs::create_directories(project());
  Write("small.toml", kSpec);
  Write("archive.gpg", world_.public_key());
}

void BadInput::Write(const std::string& name, const std::string& text) const {
  std::ofstream(project() / name, std::ios::binary) << text;
}

Invocation BadInput::Command(const std::vector<std::string>& arguments) const {
  return {.folder = project(),
          .cache = cache(),
          .arguments = arguments,
          .environment = {{"IMGBUILD_TIMEOUT", "1"}},
          .user = {},
          .most_file_size = {},
          .ignored_signal = {}};
}

Invocation BadInput::Build() const { return Command({"build", "small.toml", "--plain"}); }

std::string BadInput::Fail(const Invocation& run, int status) {
  const Ended ended = whole_build::Execute(world_, run);
  EXPECT_EQ(ended.status, status) << ended.output;
  int errors = 0;
  for (std::string_view line : specs::Split(ended.output, '\n'))
    errors += line.starts_with("error: ");
  EXPECT_EQ(errors, 1) << ended.output;
  EXPECT_THAT(ended.output, Not(HasSubstr(whole_build::kPassword)));
  ExpectNothingLeft();
  return ended.output;
}

std::string BadInput::Succeed(const Invocation& run) {
  const Ended ended = whole_build::Execute(world_, run);
  EXPECT_EQ(ended.status, 0) << ended.output;
  EXPECT_NO_THROW(whole_build::ReadLayout(project() / "small.oci"));
  ExpectSoundCache();
  return ended.output;
}

void BadInput::ExpectNothingLeft() const {
  for (const auto& entry : fs::recursive_directory_iterator(project())) {
    const std::string name = entry.path().filename();
    EXPECT_NE(entry.path().extension(), ".oci") << name;
    EXPECT_NE(entry.path().extension(), ".tar") << name;
    EXPECT_FALSE(name.starts_with(layers::kTemporaryPrefix)) << name;
    if (entry.path().extension() == ".lock") {
      EXPECT_NO_THROW(specs::ParseLock(layers::ReadFile(entry.path()), name));
    }
  }
}

void BadInput::ExpectSoundCache() {
  const Ended ended = whole_build::Execute(world_, Command({"cache", "verify"}));
  EXPECT_EQ(ended.status, 0) << ended.output;
  EXPECT_THAT(ended.output, testing::StartsWith("0 wrong entries"));
}

}  // namespace imgbuild::bad_input
