#include "specs/env/lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/base/error.h"

namespace imgbuild::specs {
namespace {

using testing::HasSubstr;

Lock Example() {
  Lock lock;
  lock.inputs = HashOf("inputs");
  lock.packer = "0.1.0";
  lock.python_version = "3.11.2";
  lock.base = LockedBase{"registry.example/python:3.11", "application/vnd.oci.image.index.v1+json",
                         HashOf("base"), 1234};
  lock.suites = {{"bookworm", "2026-11-01T10:00:00Z", HashOf("release")}};
  LockedPackage deb{PackageKind::kDeb,
                    "libc6",
                    "2.36-9+deb12u10",
                    "amd64",
                    "libc6_2.36-9+deb12u10_amd64.deb",
                    2'700'000,
                    HashOf("libc6"),
                    "bookworm/main",
                    "pool/main/g/glibc/libc6_2.36-9+deb12u10_amd64.deb",
                    {"bash", "spec"},
                    "base",
                    ""};
  LockedPackage wheel{PackageKind::kWheel,
                      "numpy",
                      "2.1.0",
                      "",
                      "numpy-2.1.0-cp311-cp311-any.whl",
                      0,
                      HashOf("numpy"),
                      "default",
                      "",
                      {},
                      "python",
                      ""};
  LockedPackage local = wheel;
  local.source = "local";
  local.path = "../wheels/numpy-2.1.0-cp311-cp311-any.whl";
  LockedPackage cublas = wheel;
  cublas.name = "nvidia-cublas";
  cublas.required_by = {"cuda"};
  cublas.layer = cublas.only_with = "cuda";
  lock.platforms = {{Platform{Architecture::kAmd64}, {deb, wheel, cublas}, ""},
                    {Platform{Architecture::kArm64}, {local}, "no \"CUDA\"\n  here"}};
  lock.compilers = {{Platform{Architecture::kArm64}, {deb}}};
  return lock;
}

std::string Complaint(const std::string& text) {
  try {
    (void)ParseLock(text, "nb.lock");
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
}

std::string Broken(const std::string& from, const std::string& to) {
  std::string text = RenderLock(Example());
  return text.replace(text.find(from), from.size(), to);
}

TEST(Lock, RoundTrips) {
  EXPECT_EQ(ParseLock(RenderLock(Example()), "nb.lock"), Example());
  Lock plain;
  EXPECT_EQ(ParseLock(RenderLock(plain), "nb.lock"), plain);
}

TEST(Lock, SaysWhereItIsBroken) {
  EXPECT_THAT(Complaint("inputs = "), HasSubstr("nb.lock:1:10: this is no valid TOML"));
  EXPECT_THAT(Complaint("format = 2"), HasSubstr("format = 2"));
  EXPECT_THAT(Complaint(""), HasSubstr("a format this imgbuild does not know"));
  EXPECT_THAT(Complaint(Broken(HashOf("numpy").Hex(), "00")), HasSubstr("64 hexadecimal digits"));
  EXPECT_THAT(Complaint(Broken("kind = \"wheel\"", "kind = \"egg\"")), HasSubstr("\"egg\""));
  EXPECT_THAT(Complaint(Broken("size = 2700000", "size = -1")), HasSubstr("size is negative"));
  EXPECT_THAT(Complaint(Broken("name = \"numpy\"\n", "")), HasSubstr("name is missing"));
  EXPECT_THAT(Complaint(Broken("only-with = \"cuda\"", "only-with = \"x\"")),
              HasSubstr("only-with is \"x\""));
  EXPECT_THAT(Complaint(Broken("linux/arm64", "linux/mips")), HasSubstr("no platform"));
}

TEST(Lock, LeadsNowhereElse) {
  EXPECT_THAT(Complaint(Broken("file = \"libc6_", "file = \"../libc6_")),
              HasSubstr("a name without folders"));
  EXPECT_THAT(Complaint(Broken("path = \"pool/", "path = \"../pool/")),
              HasSubstr("below the mirror"));
  EXPECT_THAT(Complaint(Broken("path = \"pool/", "path = \"/pool/")),
              HasSubstr("below the mirror"));
}

// Locks come with repositories, and what they name as a compiler is run on the host.
TEST(Lock, NamesOnlySourcesOfItsKind) {
  const std::string deb = "source = \"bookworm/main\"";
  for (const char* source : {"local", "artifact", "bookworm", "/main", "bookworm/", "a/b/c"}) {
    EXPECT_THAT(Complaint(Broken(deb, "source = \"" + std::string(source) + "\"")),
                HasSubstr("expected a suite and a component"));
  }
  for (const char* source : {"artifact", "bookworm/main", "https://index.example"}) {
    EXPECT_THAT(
        Complaint(Broken("source = \"default\"", "source = \"" + std::string(source) + "\"")),
        HasSubstr("expected an index's name"));
  }
  Lock lock = Example();
  lock.compilers[0].packages.push_back(lock.platforms[0].packages[1]);
  EXPECT_THAT(Complaint(RenderLock(lock)), HasSubstr("numpy is a wheel, expected only debs"));
  // The last in the text is the compiler's.
  std::string text = RenderLock(Example());
  text.replace(text.rfind(deb), deb.size(), "source = \"artifact\"");
  EXPECT_THAT(Complaint(text), HasSubstr("source is \"artifact\""));
}

}  // namespace
}  // namespace imgbuild::specs
