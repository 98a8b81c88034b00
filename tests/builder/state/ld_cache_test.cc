#include <gtest/gtest.h>

#include "builder/state/ld_cache_format.h"
#include "tests/builder/state/fixture.h"

namespace imgbuild::builder {
namespace {

TEST(LdCacheFormat, ComparesNumbersAsNumbers) {
  const std::vector<std::string> sorted = {"ld-linux.so.2", "liba.so.9", "liba.so.10", "libb.so",
                                           "libb.so.1"};
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    for (std::size_t j = 0; j < sorted.size(); ++j) {
      EXPECT_EQ(CompareLibraries(sorted[i], sorted[j]) < 0, i < j) << sorted[i] << sorted[j];
    }
  }
}

TEST(LdCacheFormat, SharesTheEndsOfStrings) {
  const std::string bytes = RenderLdCache({{{"liba.so.1", "/lib/liba.so.1", 0x303, ""}}, {}, "g"});
  EXPECT_EQ(bytes.substr(0, 20), "glibc-ld.so.cache1.1");
  EXPECT_EQ(bytes.size(), 48 + 24 + 16 + 24 + 1u);  // header, entry, string padded, extension
  EXPECT_EQ(bytes.substr(72, 15), std::string("/lib/liba.so.1\0", 15));
  EXPECT_EQ(bytes.back(), 'g');
}

TEST(LdCache, FollowsAlternativesAndNamesSonames) {
  std::vector<FakeDeb> debs;
  debs.push_back(FakeDeb("libc-bin")
                     .File("usr/share/libc-bin/nsswitch.conf", "passwd: files\n")
                     .File("etc/ld.so.conf.d/x.conf", "/lib/x86_64-linux-gnu\n")
                     .Folder("usr/lib/x86_64-linux-gnu")
                     .Library("usr/lib/x86_64-linux-gnu/libz.so.1.2", "libz.so.1"));
  debs.push_back(FakeDeb("libblas3")
                     .Library("usr/lib/x86_64-linux-gnu/blas/libblas.so.3", "libblas.so.3")
                     .Control("postinst",
                              "#!/bin/sh\nupdate-alternatives --install "
                              "/usr/lib/x86_64-linux-gnu/libblas.so.3 libblas.so.3 "
                              "/usr/lib/x86_64-linux-gnu/blas/libblas.so.3 10\n"));
  const SystemState state = MakeSystemState(InputOf(debs));
  const std::string& cache = state.files.at("etc/ld.so.cache").content;
  EXPECT_NE(cache.find("/lib/x86_64-linux-gnu/libblas.so.3"), std::string::npos);
  EXPECT_NE(cache.find("/lib/x86_64-linux-gnu/libz.so.1"), std::string::npos);
  EXPECT_TRUE(cache.ends_with("ldconfig (Debian GLIBC 2.36-9) stable release version 2.36"));
  EXPECT_EQ(state.files.at("usr/lib/x86_64-linux-gnu/libz.so.1").node.target, "libz.so.1.2");
}

}  // namespace
}  // namespace imgbuild::builder
