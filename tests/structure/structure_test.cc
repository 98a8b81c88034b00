// The tree keeps its promises: who includes whom, one includer for each C library, small files, no
// host names. Runs in the repository's root.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "builder/host/default_sources.h"

namespace imgbuild {
namespace {

namespace fs = std::filesystem;

struct SourceFile {
  std::string path;
  std::string text;
  std::vector<std::string> quoted;  // #include "..."
  std::vector<std::string> angled;  // #include <...>
};

std::string ReadFile(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<std::string> Matches(const std::string& text, const char* pattern) {
  const std::regex regex(pattern);
  std::vector<std::string> found;
  for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end; ++it) {
    found.push_back((*it)[1]);
  }
  return found;
}

// All .h and .cc files below the four source folders.
const std::vector<SourceFile>& Sources() {
  static const std::vector<SourceFile> kSources = [] {
    std::vector<SourceFile> sources;
    for (const char* top : {"specs", "layers", "builder", "runtime"}) {
      for (const auto& entry : fs::recursive_directory_iterator(top)) {
        const std::string extension = entry.path().extension();
        if (extension != ".h" && extension != ".cc") continue;
        SourceFile source{entry.path().generic_string(), ReadFile(entry.path()), {}, {}};
        source.quoted = Matches(source.text, R"re((?:^|\n)#include "([^"]+)")re");
        source.angled = Matches(source.text, R"re((?:^|\n)#include <([^>]+)>)re");
        sources.push_back(std::move(source));
      }
    }
    return sources;
  }();
  return kSources;
}

// "specs/python" of "specs/python/version.h"; runtime has no folders inside.
std::string Folder(const std::string& path) {
  if (path.starts_with("runtime/")) return "runtime";
  const std::size_t first = path.find('/');
  return path.substr(0, path.find('/', first + 1));
}

// What each folder may include directly; docs/architecture.md explains the order.
const std::map<std::string, std::set<std::string>> kMayInclude = {
    {"specs/base", {}},
    {"specs/oci", {"specs/base"}},
    {"specs/python", {"specs/base", "specs/oci"}},
    {"specs/debian", {"specs/base", "specs/oci"}},
    {"specs/presets", {}},
    {"specs/env", {"specs/base", "specs/oci", "specs/python", "specs/debian", "specs/presets"}},
    {"layers/io", {"specs/base"}},
    {"layers/tree", {"specs", "layers/io"}},
    {"layers/write", {"specs", "layers/io", "layers/tree"}},
    {"layers/unpack", {"specs", "layers/io", "layers/tree", "layers/write"}},
    {"layers/store", {"specs", "layers/io"}},
    {"layers/image", {"specs", "layers/io", "layers/tree", "layers/write", "layers/store"}},
    {"builder/host", {"specs", "layers"}},
    {"builder/ui", {"specs", "builder/host"}},
    {"builder/net", {"specs", "layers", "builder/host"}},
    {"builder/registry", {"specs", "layers", "builder/host", "builder/net", "builder/ui"}},
    {"builder/engine", {"specs", "layers", "builder/host"}},
    {"builder/generate", {"specs", "builder/engine"}},
    {"builder/rootless", {"specs", "layers", "builder/host"}},
    {"builder/resolve", {"specs"}},
    {"builder/debian",
     {"specs", "layers", "builder/host", "builder/net", "builder/ui", "builder/resolve"}},
    {"builder/pypi", {"specs", "layers", "builder/host", "builder/net", "builder/resolve"}},
    {"builder/state", {"specs", "layers/tree"}},
    {"builder/base", {"specs", "layers", "builder/state"}},
    {"builder/plan", {"specs", "layers"}},
    {"builder/lock",
     {"specs", "layers", "builder/host", "builder/net", "builder/ui", "builder/resolve",
      "builder/debian", "builder/pypi", "builder/base"}},
    {"builder/assemble",
     {"specs", "layers", "runtime", "builder/host", "builder/net", "builder/ui", "builder/plan",
      "builder/state", "builder/base"}},
    {"builder/share",
     {"specs", "layers", "builder/host", "builder/net", "builder/ui", "builder/registry",
      "builder/assemble"}},
    {"builder/cli", {"specs", "layers", "builder"}},
    {"runtime", {}},
};

TEST(Structure, IncludesFollowTheDirections) {
  ASSERT_GT(Sources().size(), 50u);
  for (const SourceFile& source : Sources()) {
    const std::string from = Folder(source.path);
    auto rule = kMayInclude.find(from);
    ASSERT_NE(rule, kMayInclude.end()) << source.path << ": a folder without a rule";
    for (const std::string& include : source.quoted) {
      const std::string to = Folder(include);
      if (to == from) continue;
      const std::string top = to.substr(0, to.find('/'));
      EXPECT_TRUE(rule->second.contains(to) || rule->second.contains(top))
          << source.path << " includes " << include;
    }
  }
}

TEST(Structure, AssembleTakesOnlyTheServiceTableFromRuntime) {
  for (const SourceFile& source : Sources()) {
    if (!source.path.starts_with("builder/")) continue;
    for (const std::string& include : source.quoted) {
      if (include.starts_with("runtime/")) {
        EXPECT_EQ(include, "runtime/service_table.h") << source.path;
      }
    }
  }
}

// Shared caches implement what assembling asks for, and know nothing of how it works.
TEST(Structure, ShareTakesOnlyTheSeamFromAssemble) {
  const std::set<std::string> seam = {"builder/assemble/shared_cache.h",
                                      "builder/assemble/recipe_annotations.h"};
  for (const SourceFile& source : Sources()) {
    if (!source.path.starts_with("builder/share/")) continue;
    for (const std::string& include : source.quoted) {
      if (!include.starts_with("builder/assemble/")) continue;
      EXPECT_TRUE(seam.contains(include)) << source.path << " includes " << include;
    }
  }
}

// Which file may include a library's headers. A list where several have a reason of their own.
const std::vector<std::pair<std::string, std::set<std::string>>> kIncluders = {
    {"archive.h", {"layers/io/archive.cc"}},
    {"archive_entry.h", {"layers/io/archive.cc"}},
    {"curl/", {"builder/net/libcurl.h"}},
    {"rnp/", {"builder/debian/openpgp.cc"}},
    {"toml++/", {"specs/base/toml.cc"}},
    {"zstd", {"layers/write/zstd_codec.cc"}},
    {"libdeflate", {"layers/write/gzip_codec.cc"}},
    {"isa-l", {"layers/unpack/zip_reader.cc"}},
    {"CLI/", {"builder/cli/command_line.cc"}},
    {"openssl/", {"specs/base/digest.cc", "builder/state/certificate.cc"}},
};

TEST(Structure, EachLibraryHasOneIncluder) {
  for (const SourceFile& source : Sources()) {
    for (const std::string& include : source.angled) {
      for (const auto& [library, files] : kIncluders) {
        if (include.starts_with(library)) {
          EXPECT_TRUE(files.contains(source.path))
              << source.path << " includes <" << include << ">";
        }
      }
      if (include.starts_with("nlohmann/")) {
        const bool declarations_only = include == "nlohmann/json_fwd.hpp";
        EXPECT_TRUE(source.path.ends_with(".cc") || declarations_only) << source.path;
      }
    }
  }
}

TEST(Structure, FilesStaySmall) {
  for (const SourceFile& source : Sources()) {
    const auto lines = std::count(source.text.begin(), source.text.end(), '\n');
    EXPECT_LE(lines, source.path.ends_with(".h") ? 300 : 500) << source.path;
    if (source.path.ends_with(".h")) {
      EXPECT_NE(source.text.find("#pragma once"), std::string::npos) << source.path;
    }
  }
}

// A source that no CMakeLists.txt names is not built, and a test that none names never fails. The
// list is that of its folder, or of the first folder above that has one.
TEST(Structure, EverySourceIsBuilt) {
  std::size_t seen = 0;
  for (const char* top : {"specs", "layers", "builder", "runtime", "tests"}) {
    for (const auto& entry : fs::recursive_directory_iterator(top)) {
      if (entry.path().extension() != ".cc") continue;
      ++seen;
      fs::path folder = entry.path().parent_path();
      while (!fs::exists(folder / "CMakeLists.txt")) folder = folder.parent_path();
      const std::string name = fs::relative(entry.path(), folder).generic_string();
      const std::string list = ReadFile(folder / "CMakeLists.txt");
      // As a word: "store.cc" stands in "find_store.cc", too.
      const std::regex word("(^|[\\s(])" + std::regex_replace(name, std::regex("\\."), "\\.") +
                            "($|[\\s)])");
      EXPECT_TRUE(std::regex_search(list, word)) << entry.path() << " is in no CMakeLists.txt";
    }
  }
  EXPECT_GT(seen, 200u);
}

TEST(Structure, EachFolderSaysWhatItIs) {
  std::vector<fs::path> folders = {"specs", "layers",    "builder", "tests",
                                   "bench", "tests/e2e", "cmake",   "specs/examples"};
  for (const auto& [folder, rule] : kMayInclude) folders.emplace_back(folder);
  for (const fs::path& folder : folders) EXPECT_TRUE(fs::exists(folder / "README.md")) << folder;
}

// The host names that this machine takes packages from must not stand in the tree.
TEST(Structure, NoHostNamesOfMirrorsOrIndexes) {
  std::set<std::string> hosts;
  for (std::string url : {builder::kDefaultDebianMirror, builder::kDefaultDebianSecurityMirror,
                          builder::kDefaultPythonIndex}) {
    const std::vector<std::string> found = Matches(url, R"re(://(?:[^@/]*@)?([^/:]+))re");
    if (!found.empty() && found[0].find('.') != std::string::npos) hosts.insert(found[0]);
  }
  if (hosts.empty()) GTEST_SKIP() << "this build knows no mirror by name";
  for (const auto& entry : fs::recursive_directory_iterator(".")) {
    const std::string path = entry.path().generic_string();
    if (!entry.is_regular_file() || path.starts_with("./build/") || path.starts_with("./.git/") ||
        path.find(".oci/") != std::string::npos) {
      continue;
    }
    const std::string text = ReadFile(entry.path());
    for (const std::string& host : hosts) {
      EXPECT_EQ(text.find(host), std::string::npos) << path << " names " << host;
    }
  }
}

}  // namespace
}  // namespace imgbuild
