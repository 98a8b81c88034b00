#include "builder/base/base_state.h"

#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/base/error.h"
#include "tests/builder/base/make_base.h"

namespace imgbuild::builder {
namespace {

using layers::TarMaker;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Key;

constexpr char kRoot[] = "root:x:0:0:root:/root:/bin/bash\n";

std::string AnyCertificate() {
  std::ifstream bundle("tests/data/state/root_a.crt");
  return {std::istreambuf_iterator<char>(bundle), {}};
}

TEST(MakeBaseState, AddsTheUserBesideThoseThatThereAre) {
  const layers::BaseImage base = MakeBase(TarMaker()
                                              .File("etc/passwd", kRoot)
                                              .File("etc/shadow", "root:*:1:0:99999:7:::")
                                              .File("bin/sh", ""));
  const SystemState state = MakeBaseState({.base = base});
  EXPECT_EQ(state.files.at("etc/passwd").content,
            std::string(kRoot) + "user:x:1000:0::/home/user:/bin/sh\n");
  EXPECT_EQ(state.files.at("etc/shadow").content,
            "root:*:1:0:99999:7:::\nuser:!:3652:0:99999:7:::\n");
  EXPECT_THAT(state.files,
              ElementsAre(Key("etc/passwd"), Key("etc/shadow"), Key("home/user"), Key("work")));
  EXPECT_EQ(state.files.at("work").node.uid, 1000u);
  EXPECT_EQ(state.files.at("work").node.mode, 0775u);
}

TEST(MakeBaseState, LeavesAUserOfThatNumberAlone) {
  const layers::BaseImage base =
      MakeBase(TarMaker()
                   .File("etc/passwd", "ubuntu:x:1000:1000::/home/ubuntu:/bin/bash\n")
                   .Directory("work"));
  EXPECT_TRUE(MakeBaseState({.base = base}).files.empty());
}

TEST(MakeBaseState, TakesAnotherNameWhereItsOwnIsTaken) {
  const layers::BaseImage base =
      MakeBase(TarMaker().File("etc/passwd", "user:x:500:500::/:/bin/false\n"));
  EXPECT_THAT(MakeBaseState({.base = base}).files.at("etc/passwd").content,
              HasSubstr("\nuser1000:*:1000:0::/home/user:/usr/sbin/nologin\n"));
}

TEST(MakeBaseState, WritesWhereLinksLead) {
  const layers::BaseImage base = MakeBase(
      TarMaker().Symlink("etc/passwd", "/usr/share/passwd").File("usr/share/passwd", kRoot));
  // What a link leads to was not kept: the accounts are the image's alone.
  EXPECT_TRUE(MakeBaseState({.base = base}).files.contains("usr/share/passwd"));
}

TEST(MakeBaseState, SetsTheTimeZoneWhereThereIsOne) {
  const layers::BaseImage base = MakeBase(TarMaker().File("usr/share/zoneinfo/Europe/Berlin", ""));
  const SystemState state = MakeBaseState({.base = base, .timezone = "Europe/Berlin"});
  EXPECT_EQ(state.files.at("etc/localtime").node.target, "/usr/share/zoneinfo/Europe/Berlin");
  EXPECT_THAT(MakeBaseState({.base = base, .timezone = "Asia/Tokyo"}).warnings,
              ElementsAre(HasSubstr("tzdata")));
}

TEST(MakeBaseState, AddsCertificatesToTheBases) {
  const std::string pem = AnyCertificate();
  ASSERT_FALSE(pem.empty());
  const layers::BaseImage base =
      MakeBase(TarMaker().File("etc/ssl/certs/ca-certificates.crt", "those of the base"));
  const SystemState state = MakeBaseState({.base = base, .certificates = {{"corp.crt", pem}}});
  const std::string& bundle = state.files.at("etc/ssl/certs/ca-certificates.crt").content;
  EXPECT_THAT(bundle, HasSubstr("those of the base\n-----BEGIN CERTIFICATE-----"));
  EXPECT_TRUE(state.files.contains("usr/local/share/ca-certificates/corp.crt"));
  EXPECT_EQ(state.files.at("etc/ssl/certs/corp.pem").node.target,
            "/usr/local/share/ca-certificates/corp.crt");
  std::size_t hashes = 0;
  for (const auto& [path, file] : state.files) hashes += file.node.target == "corp.pem" ? 1 : 0;
  EXPECT_EQ(hashes, 1u);

  const layers::BaseImage without = MakeBase(TarMaker().File("etc/passwd", kRoot));
  EXPECT_THROW(MakeBaseState({.base = without, .certificates = {{"corp.crt", pem}}}), specs::Error);
  EXPECT_THROW(MakeBaseState({.base = base, .workdir = "../up"}), specs::Error);
}

}  // namespace
}  // namespace imgbuild::builder
