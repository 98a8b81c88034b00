// Runs this machine's own Python the way the extracted one is run.
#include "builder/assemble/pyc_pool.h"

#include <filesystem>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/base/error.h"
#include "specs/oci/platform.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;
using layers::PycSource;
using Results = std::vector<std::optional<std::string>>;

constexpr std::uint32_t kTime = 0x61020304;

std::uint32_t Number(std::string_view bytes, std::size_t at) {
  std::uint32_t number = 0;
  for (std::size_t i = 4; i-- > 0;)
    number = number << 8 | static_cast<unsigned char>(bytes[at + i]);
  return number;
}

class PycPoolTest : public testing::Test {
 protected:
  void SetUp() override {
    tree_.root = "/";
    tree_.architecture = specs::HostPlatform().architecture;
    for (const char* version : {"3.13", "3.12", "3.11"}) {
      if (!fs::exists(fs::path("/usr/bin/python") += version)) continue;
      tree_.version = version;
      try {
        PycWorker probe(tree_);
        probe.Compile(std::vector<PycSource>{{"/x.py", kTime, "x = 1\n"}});
        return;
      } catch (const specs::Error&) {
        continue;
      }
    }
    GTEST_SKIP() << "this machine has no Python that its dynamic linker starts by path";
  }

  PycPool Pool(std::size_t workers) {
    return PycPool([this] { return tree_; }, workers);
  }
  std::string Alone(std::string_view source) {
    return Pool(1).Compile(std::vector<PycSource>{{"/m.py", kTime, source}}).at(0).value();
  }

  PythonTree tree_;
};

TEST_F(PycPoolTest, WritesTimestampHeaderAndTheImagesPath) {
  const std::string source = "def f():\n    return 'text'\n";
  PycPool pool = Pool(1);
  const Results results =
      pool.Compile(std::vector<PycSource>{{"/opt/venv/lib/m.py", kTime, source}});
  ASSERT_TRUE(results.at(0).has_value());
  const std::string& pyc = *results[0];
  ASSERT_GT(pyc.size(), 16u);
  EXPECT_EQ(pyc.substr(2, 2), "\r\n");
  EXPECT_EQ(Number(pyc, 4), 0u);
  EXPECT_EQ(Number(pyc, 8), kTime);
  EXPECT_EQ(Number(pyc, 12), source.size());
  EXPECT_NE(pyc.find("/opt/venv/lib/m.py"), std::string::npos);
}

// The parser says MemoryError for its own limits.
TEST_F(PycPoolTest, WhatIsNestedTooDeeplyDoesNotCompile) {
  const std::string nested = "x = " + std::string(200'000, '-') + "1\n";
  const Results results = Pool(1).Compile(
      std::vector<PycSource>{{"/a.py", kTime, nested}, {"/b.py", kTime, "x = 1\n"}});
  EXPECT_FALSE(results.at(0).has_value());
  EXPECT_TRUE(results.at(1).has_value());
}

TEST_F(PycPoolTest, WhatDoesNotCompileHasNoResult) {
  const std::string nested(5000, '(');
  PycPool pool = Pool(1);
  const Results results = pool.Compile(std::vector<PycSource>{
      {"/a.py", kTime, "print 'two'\n"},
      {"/b.py", kTime, std::string_view("x = 1\0", 6)},
      {"/c.py", kTime, "# coding: no-such-codec\n"},
      {"/d.py", kTime, "x = '\xff'\n"},
      {"/e.py", kTime, nested},
      {"/f.py", kTime, "# coding: latin-1\nx = '\xff'\n"},
      {"/g.py", kTime, ""},
  });
  ASSERT_EQ(results.size(), 7u);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_FALSE(results[i].has_value()) << i;
  EXPECT_TRUE(results[5].has_value());
  EXPECT_TRUE(results[6].has_value());
}

TEST_F(PycPoolTest, BytesDependOnTheSourceAlone) {
  const std::string source =
      "def f(x):\n    return x in {'one_name', 'another_name', 'text/plain'}\n"
      "def g(x):\n    return x in {'one_name', 'another_name', 'text/plain'}\n"
      "h = (1.5, 70000, b'bytes', ('one_name', 'x y'))\n";
  const std::string before = "# coding: cp1251\ny = 'one_name'\nz = ['x y', 'text/plain', 70000]\n";
  const std::string alone = Alone(source);
  PycPool pool = Pool(1);
  const Results results = pool.Compile(std::vector<PycSource>{
      {"/a.py", kTime, before}, {"/m.py", kTime, source}, {"/m.py", kTime, source}});
  EXPECT_EQ(results.at(1), alone);
  EXPECT_EQ(results.at(2), alone);
  EXPECT_EQ(Alone(source), alone);
}

TEST_F(PycPoolTest, BatchesLargerThanPipesPassFromSeveralThreads) {
  const std::string text = "blob = '" + std::string(400'000, 'x') + "'\n";
  const std::string expected = Alone(text);
  PycPool pool = Pool(2);
  std::vector<Results> results(4);
  {
    std::vector<std::jthread> threads;
    for (Results& result : results) {
      threads.emplace_back([&] {
        result = pool.Compile(std::vector<PycSource>(12, PycSource{"/m.py", kTime, text}));
      });
    }
  }
  for (const Results& result : results) {
    EXPECT_THAT(result, testing::SizeIs(12));
    EXPECT_THAT(result, testing::Each(testing::Optional(expected)));
  }
}

TEST(PycPool, AskedForNothingStartsNothing) {
  PycPool pool([]() -> PythonTree { throw std::logic_error("not wanted"); }, 1);
  EXPECT_TRUE(pool.Compile({}).empty());
}

TEST(PycPool, AMissingInterpreterIsAnErrorEachTime) {
  const support::TempFolder folder;
  PycPool pool(
      [&] {
        return PythonTree{folder.path(), "3.11", specs::HostPlatform().architecture};
      },
      1);
  const std::vector<PycSource> sources = {{"/m.py", kTime, "x = 1\n"}};
  EXPECT_THROW(pool.Compile(sources), specs::Error);
  EXPECT_THROW(pool.Compile(sources), specs::Error);
}

}  // namespace
}  // namespace imgbuild::builder
