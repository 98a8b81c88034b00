#include "builder/debian/package_index.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "builder/debian/package_table.h"
#include "layers/io/atomic_file.h"
#include "specs/base/error.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

using specs::Architecture;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string Stanza(const std::string& name, const std::string& version,
                   const std::string& more = "", const std::string& architecture = "amd64") {
  return "Package: " + name + "\nVersion: " + version + "\nArchitecture: " + architecture +
         "\nFilename: pool/main/x/" + name + "_" + version + "_" + architecture +
         ".deb\nSize: 12\nSHA256: " + specs::HashOf(name + version).Hex() + "\n" + more + "\n";
}

std::vector<std::string> Shown(const std::vector<Package>& packages) {
  std::vector<std::string> shown;
  for (const Package& package : packages) {
    shown.push_back(std::string(package.name()) + " " + std::string(package.version()) + " " +
                    std::string(package.source()));
  }
  return shown;
}

TEST(PackageIndex, GivesEveryField) {
  PackageIndex index = PackageIndex::FromText(
      {{"bookworm/main",
        Stanza("libc6", "2.36-9",
               "Installed-Size: 3\nSection: libs\nSource: glibc (2.36)\nPriority: optional\n"
               "Multi-Arch: same\nEssential: yes\nPre-Depends: a\n"
               "Depends: b (>= 1) | c:any, d [arm64], e [!arm64], f <!nocheck>\n"
               "Recommends: g\nConflicts: h (<< 2)\nBreaks: i (<= 3), j\nProvides: k, l (= 4)\n"
               "Description: text\n of two lines: x\n")}},
      Architecture::kAmd64);
  std::vector<Package> found = index.Candidates("libc6");
  ASSERT_EQ(found.size(), 1u);
  const Package package = found[0];
  EXPECT_EQ(package.architecture(), "amd64");
  EXPECT_EQ(package.section(), "libs");
  EXPECT_EQ(package.source_package(), "glibc (2.36)");
  EXPECT_EQ(package.filename(), "pool/main/x/libc6_2.36-9_amd64.deb");
  EXPECT_EQ(package.size(), 12u);
  EXPECT_EQ(package.installed_size(), 3072u);
  EXPECT_EQ(package.sha256(), specs::HashOf("libc62.36-9"));
  EXPECT_EQ(package.priority(), specs::DebianPriority::kOptional);
  EXPECT_EQ(package.multi_arch(), specs::MultiArch::kSame);
  EXPECT_TRUE(package.essential());
  auto rendered = [&](RelationKind kind) {
    std::string text;
    for (const AlternativesView& group : package.Relations(kind)) {
      if (!text.empty()) text += ", ";
      for (std::size_t i = 0; i < group.size(); ++i) text += (i ? " | " : "") + group[i].Render();
    }
    return text;
  };
  EXPECT_EQ(rendered(RelationKind::kPreDepends), "a");
  EXPECT_EQ(rendered(RelationKind::kDepends), "b (>= 1) | c:any, e, f");
  EXPECT_EQ(rendered(RelationKind::kRecommends), "g");
  EXPECT_EQ(rendered(RelationKind::kConflicts), "h (<< 2)");
  EXPECT_EQ(rendered(RelationKind::kBreaks), "i (<= 3), j");
  EXPECT_EQ(rendered(RelationKind::kProvides), "k, l (= 4)");
  ASSERT_EQ(index.Providers("l").size(), 1u);
  EXPECT_EQ(index.Providers("l")[0].package, package);
  EXPECT_EQ(index.Providers("l")[0].version, "4");
  EXPECT_EQ(index.Providers("k")[0].version, "");
  EXPECT_THAT(index.Providers("b"), IsEmpty());
  EXPECT_THAT(index.Candidates("b"), IsEmpty());
  EXPECT_THAT(index.Candidates("nowhere"), IsEmpty());
}

TEST(PackageIndex, ManySourcesAreOneView) {
  PackageIndex index = PackageIndex::FromText(
      {{"main", Stanza("a", "1.9") + Stanza("a", "1.10", "Provides: v\n") + Stanza("b", "1")},
       {"updates", ""},
       {"security", Stanza("a", "1.10") + Stanza("a", "1:0", "Provides: v\n") +
                        Stanza("c", "1", "Provides: v (= 2)\n", "all") +
                        Stanza("d", "1", "", "arm64")}},
      Architecture::kAmd64);
  EXPECT_THAT(Shown(index.Candidates("a")),
              ElementsAre("a 1:0 security", "a 1.10 main", "a 1.9 main"));
  std::vector<Package> providers;
  for (const ProvidingPackage& provider : index.Providers("v"))
    providers.push_back(provider.package);
  EXPECT_THAT(Shown(providers), ElementsAre("a 1.10 main", "a 1:0 security", "c 1 security"));
  EXPECT_THAT(index.Candidates("d"), IsEmpty());
  EXPECT_EQ(index.size(), 6u);
  EXPECT_THAT(Shown(index.All()), ElementsAre("a 1.10 main", "a 1.9 main", "b 1 main",
                                              "a 1:0 security", "a 1.10 security", "c 1 security"));
  EXPECT_LT(index.All()[2], index.All()[3]);
}

TEST(PackageIndex, HandlesOutliveTheIndexTheyCameFromWhileACopyLives) {
  std::optional<PackageIndex> first =
      PackageIndex::FromText({{"main", Stanza("a", "1")}}, Architecture::kAmd64);
  Package package = first->Candidates("a")[0];
  PackageIndex copy = *first;
  first.reset();
  EXPECT_EQ(package.source(), "main");
  EXPECT_EQ(copy.Candidates("a")[0], package);
}

TEST(PackageIndex, KnowsNamesNearToAWrongOne) {
  PackageIndex index = PackageIndex::FromText(
      {{"main", Stanza("python3", "1", "Depends: pythn3\n") + Stanza("perl", "1")}},
      Architecture::kAmd64);
  EXPECT_THAT(index.NamesNear("pyton3"), ElementsAre("python3"));
}

TEST(PackageIndex, SaysWhichPackageIsMalformed) {
  for (const std::string& text :
       {Stanza("a", "1") + "Package: b\nVersion: 1\nArchitecture: all\n",
        Stanza("a", "1") + Stanza("b", "1", "Depends: (\n"),
        Stanza("a", "1") + Stanza("b", "1", "Installed-Size: x\n"),
        Stanza("a", "1") + Stanza("b", "1/../2"), Stanza("a", "1") + Stanza("b", "1", "Size: -1\n"),
        Stanza("a", "1") + Stanza("b", "1", "Filename: ../x.deb\n"),
        Stanza("a", "1") + Stanza("b", "1", "Filename: /x.deb\n"),
        Stanza("a", "1") + Stanza("b", "1", "SHA256: abc\n")}) {
    try {
      PackageIndex::FromText({{"main", text}}, Architecture::kAmd64);
      ADD_FAILURE() << text;
    } catch (const specs::Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("main:8 (package b)"));
    }
  }
  std::string long_field = Stanza("b", "1", "Section: " + std::string(70'000, 'x') + "\n");
  EXPECT_THROW(PackageIndex::FromText({{"main", long_field}}, Architecture::kAmd64), specs::Error);
}

class Table : public ::testing::Test {
 protected:
  const specs::Sha256 inputs_ = specs::HashOf("inputs");
  const std::string bytes_ = CompilePackages(
      Stanza("a", "1", "Depends: b | c (>= 2)\nProvides: v\n") + Stanza("b", "2", "Section: x\n"),
      Architecture::kAmd64, "Packages", inputs_);
};

TEST_F(Table, SameInputSameBytes) {
  EXPECT_EQ(CompilePackages(Stanza("a", "1", "Depends: b | c (>= 2)\nProvides: v\n") +
                                Stanza("b", "2", "Section: x\n"),
                            Architecture::kAmd64, "other name", inputs_),
            bytes_);
}

TEST_F(Table, MapsOnlyWhatIsWholeAndMadeFromTheInputs) {
  support::TempFolder folder;
  auto path = folder.path() / "t.idx";
  EXPECT_EQ(PackageTable::Map(path, inputs_), nullptr);
  layers::WriteFileAtomically(path, bytes_);
  ASSERT_NE(PackageTable::Map(path, inputs_), nullptr);
  EXPECT_TRUE(PackageTable::Map(path, inputs_)->IsIntact());
  EXPECT_EQ(PackageTable::Map(path, specs::HashOf("others")), nullptr);
  for (std::size_t size :
       {std::size_t{0}, std::size_t{10}, sizeof(TableHeader), bytes_.size() - 8}) {
    layers::WriteFileAtomically(path, bytes_.substr(0, size));
    EXPECT_EQ(PackageTable::Map(path, inputs_), nullptr) << size;
  }
  for (std::size_t at = 0; at < sizeof(TableHeader); ++at) {
    std::string damaged = bytes_;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x40);
    EXPECT_EQ(PackageTable::FromBytes(damaged, inputs_), nullptr) << at;
  }
}

void ReadEverything(const PackageIndex& index) {
  for (const Package& package : index.All()) {
    (void)package.name();
    (void)package.filename();
    (void)package.priority();
    for (std::size_t kind = 0; kind < kRelationKinds; ++kind) {
      for (const AlternativesView& group : package.Relations(static_cast<RelationKind>(kind))) {
        for (const RelationView& relation : group) (void)relation.SatisfiedBy("1");
      }
    }
  }
  for (const char* name : {"a", "b", "c", "v", "zz"}) {
    (void)index.Candidates(name);
    for (const ProvidingPackage& provider : index.Providers(name)) (void)provider.package.name();
  }
}

TEST_F(Table, DamagedSectionsNeverLeadOutside) {
  std::mt19937 random(2);
  int damaged_reads = 0;
  for (int i = 0; i < 4000; ++i) {
    std::string damaged = bytes_;
    for (int n = static_cast<int>(random() % 3); n >= 0; --n) {
      std::size_t at = sizeof(TableHeader) + random() % (damaged.size() - sizeof(TableHeader));
      damaged[at] = static_cast<char>(random());
    }
    auto table = PackageTable::FromBytes(damaged, inputs_);
    ASSERT_NE(table, nullptr);
    try {
      ReadEverything(PackageIndex({{"main", table}}));
    } catch (const specs::Error&) {
      ++damaged_reads;
      EXPECT_FALSE(table->IsIntact());
    }
  }
  EXPECT_GT(damaged_reads, 100);
}

TEST(PackagesFuzz, MutatedPackagesNeverCrash) {
  const std::string text =
      Stanza("a", "1", "Depends: b | c (>= 2) [amd64]\nProvides: v (= 1)\nPriority: required\n") +
      Stanza("b", "2", "Section: x\nMulti-Arch: same\nInstalled-Size: 7\n");
  std::mt19937 random(4);
  int good = 0;
  for (int i = 0; i < 5000; ++i) {
    std::string mutated = text;
    for (int n = static_cast<int>(random() % 5); n >= 0; --n) {
      mutated[random() % mutated.size()] = static_cast<char>(random() % 128);
    }
    try {
      ReadEverything(PackageIndex::FromText({{"main", mutated}}, Architecture::kAmd64));
      ++good;
    } catch (const specs::Error&) {
    }
  }
  EXPECT_GT(good, 100);
}

}  // namespace
}  // namespace imgbuild::builder
