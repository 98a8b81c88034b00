// Machines, each with a cache of its own, that build one project and share what they made.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/mini_registry.h"
#include "tests/support/temp_folder.h"
#include "tests/whole_build/world.h"

namespace imgbuild::whole_build {

namespace fs = std::filesystem;

inline constexpr char kSpec[] = R"(format = 1
[image]
name = "app"
platforms = [{}]
annotations = {{ "org.example.team" = "blue" }}
[system]
keyring = "archive.gpg"
[python]
version = "3.11"
packages = ["pip", "numpy"]
compile = "none"
[[files]]
from = "app"
to = "/srv/app"
)";

class SharedCacheBuild : public testing::Test {
 protected:
  explicit SharedCacheBuild(std::string platforms = R"("linux/amd64")")
      : platforms_(std::move(platforms)) {
    project_ = folder_.path() / "project";
    fs::create_directories(project_ / "app");
    Write("app.toml", fmt::format(kSpec, platforms_));
    Write("archive.gpg", world_.public_key());
    Write("app/main.py", "app = None\n");
  }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(project_ / name, std::ios::binary) << text;
  }

  // A run on the machine of that name.
  Invocation On(const std::string& machine, const std::vector<std::string>& options) {
    Invocation run{.folder = project_,
                   .cache = folder_.path() / machine,
                   .arguments = {"build", "app.toml", "--json", "--insecure"},
                   .environment = {}};
    run.arguments.insert(run.arguments.end(), options.begin(), options.end());
    return run;
  }

  // The last line's object.
  nlohmann::json Succeed(const Invocation& run) {
    const Ended ended = Execute(world_, run);
    EXPECT_EQ(ended.status, 0) << ended.output;
    output_ = ended.output;
    const std::size_t end = output_.rfind('}');
    const std::size_t begin = output_.rfind('\n', end);
    return nlohmann::json::parse(
        output_.substr(begin == std::string::npos ? 0 : begin + 1, end - begin), nullptr, false);
  }

  std::string Reference(const std::string& name) {
    return "docker://" + registry_.host() + "/" + name;
  }

  std::size_t BlobGets() const {
    std::size_t count = 0;
    for (const support::ServedRequest& request : registry_.requests()) {
      count += request.method == "GET" && request.target.find("/blobs/") != std::string::npos;
    }
    return count;
  }

  const std::string platforms_;
  World world_;
  support::MiniRegistry registry_;
  support::TempFolder folder_;
  fs::path project_;
  std::string output_;
};

}  // namespace imgbuild::whole_build
