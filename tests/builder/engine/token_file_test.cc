#include "builder/engine/token_file.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/base/error.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class TokenFromFileTest : public testing::Test {
 protected:
  std::optional<std::string> Of(const std::string& text) {
    std::ofstream(file()) << text;
    return TokenFromFile(Environment::Of({{"JUPYTER_TOKEN_FILE", file()}}), "JUPYTER_TOKEN");
  }
  std::string file() const { return (place_.path() / "token").string(); }

  support::TempFolder place_;
};

TEST_F(TokenFromFileTest, IsWhatTheFileHoldsLessOneNewline) {
  EXPECT_EQ(Of("sesame"), "sesame");
  EXPECT_EQ(Of("sesame\n"), "sesame");
  EXPECT_EQ(Of("sesame\r\n"), "sesame");
  EXPECT_EQ(Of("sesame\n\n"), "sesame\n");
}

TEST_F(TokenFromFileTest, IsNoneWhereTheVariableIsSetOrNoFileIsNamed) {
  const auto environment =
      Environment::Of({{"JUPYTER_TOKEN", "given"}, {"JUPYTER_TOKEN_FILE", "/nonexistent"}});
  EXPECT_EQ(TokenFromFile(environment, "JUPYTER_TOKEN"), std::nullopt);
  EXPECT_EQ(TokenFromFile(environment, "APP_TOKEN"), std::nullopt);
}

TEST_F(TokenFromFileTest, AFileWithoutOneIsAnErrorThatNamesBoth) {
  const auto expect_error = [&](const auto& action) {
    try {
      action();
      ADD_FAILURE() << "no error";
    } catch (const specs::Error& error) {
      EXPECT_THAT(error.what(), AllOf(HasSubstr("JUPYTER_TOKEN_FILE"), HasSubstr(file())));
    }
  };
  expect_error([&] {
    TokenFromFile(Environment::Of({{"JUPYTER_TOKEN_FILE", file()}}), "JUPYTER_TOKEN");
  });
  for (const char* text : {"", "\n"}) expect_error([&] { Of(text); });
}

}  // namespace
}  // namespace imgbuild::builder
