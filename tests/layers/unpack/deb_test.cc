#include "layers/unpack/deb.h"

#include <gmock/gmock.h>

#include "layers/tree/file_tree.h"
#include "tests/layers/unpack/unpack_fixture.h"

namespace imgbuild::layers {
namespace {

using support::MakeDeb;
using testing::ElementsAre;
using testing::HasSubstr;

class DebTest : public UnpackTest {};

TEST_F(DebTest, FilesLeaveSortedWithFactsAndContent) {
  MakeDeb deb;
  deb.Folder("./usr/").Folder("./usr/bin/").File("./usr/bin/b", "two", 04755);
  deb.File("./usr/bin/a", "one").Link("./usr/bin/0", "a");
  deb.data[2].uid = 3;
  deb.data[2].gid = 42;
  Unpacked result = Deb(deb);
  EXPECT_THAT(result.order, ElementsAre("usr/bin/0", "usr/bin/a", "usr/bin/b"));
  EXPECT_EQ(result.content["usr/bin/b"], "two");
  EXPECT_EQ(result.target["usr/bin/0"], "a");
  EXPECT_EQ(result.facts.kind, "deb");
  EXPECT_EQ(result.facts.name, "demo");
  EXPECT_EQ(result.facts.version, "1.0-1");
  EXPECT_EQ(result.facts.architecture, "amd64");
  ASSERT_EQ(result.facts.files.size(), 5u);
  const Node* node = result.Find("usr/bin/b");
  ASSERT_NE(node, nullptr);
  EXPECT_EQ(node->mode, 04755u);
  EXPECT_EQ(node->uid, 3u);
  EXPECT_EQ(node->gid, 42u);
  EXPECT_EQ(node->digest, specs::HashOf("two"));
  EXPECT_EQ(node->mtime, 1'700'000'000);
}

TEST_F(DebTest, UsrIsMerged) {
  MakeDeb deb;
  deb.Folder("./bin/").File("./bin/sh", "x").File("./lib/x86_64-linux-gnu/l.so", "y");
  deb.Folder("./usr/").Folder("./usr/bin/").File("./sbin/init", "z").File("./library", "w");
  Unpacked result = Deb(deb);
  EXPECT_THAT(result.order, ElementsAre("library", "usr/bin/sh", "usr/lib/x86_64-linux-gnu/l.so",
                                        "usr/sbin/init"));
  EXPECT_NE(result.Find("usr/bin"), nullptr);
  EXPECT_EQ(result.Find("bin"), nullptr);
}

TEST_F(DebTest, TheMergeLinksOfTrixieStay) {
  MakeDeb deb;
  deb.Link("./bin", "usr/bin").Link("./lib64", "usr/lib64");
  DebOptions trixie;
  trixie.suite = specs::Suite::kTrixie;
  EXPECT_THAT(Deb(deb, trixie).order, ElementsAre("bin", "lib64"));
  EXPECT_TRUE(Deb(deb).order.empty());
}

TEST_F(DebTest, TheFirstOfHardLinksIsTheFile) {
  MakeDeb deb;
  deb.File("./usr/bin/perl5", "perl", 0755).HardLink("./usr/bin/perl", "./usr/bin/perl5");
  Unpacked result = Deb(deb);
  EXPECT_THAT(result.order, ElementsAre("usr/bin/perl", "usr/bin/perl5"));
  EXPECT_EQ(result.content["usr/bin/perl"], "perl");
  EXPECT_EQ(result.target["usr/bin/perl5"], "usr/bin/perl");
  EXPECT_EQ(result.Find("usr/bin/perl5")->type, NodeType::kHardlink);
}

TEST_F(DebTest, AHardLinkToAnExcludedFileIsTheFile) {
  MakeDeb deb;
  deb.File("./usr/share/doc/demo/notes", "text").HardLink("./bin/x", "./usr/share/doc/demo/notes");
  Unpacked result = Deb(deb);
  EXPECT_THAT(result.order, ElementsAre("usr/bin/x"));
  EXPECT_EQ(result.content["usr/bin/x"], "text");
}

TEST_F(DebTest, DocumentationStaysOutWhenSlim) {
  MakeDeb deb;
  deb.File("./usr/share/doc/demo/copyright", "c").File("./usr/share/doc/demo/changelog.gz", "d");
  deb.File("./usr/share/man/man1/x.1.gz", "m").Link("./usr/share/doc/other", "demo");
  EXPECT_THAT(Deb(deb).order, ElementsAre("usr/share/doc/demo/copyright", "usr/share/doc/other"));
  DebOptions all;
  all.filter = PathFilter::kNone;
  EXPECT_EQ(Deb(deb, all).order.size(), 4u);
}

TEST_F(DebTest, OldTimesAreClamped) {
  MakeDeb deb;
  deb.File("./usr/old", "x");
  deb.data[0].mtime = 0;
  EXPECT_EQ(Deb(deb).Find("usr/old")->mtime, kFixedTime);
}

TEST_F(DebTest, FoldersThatBaseFilesReplacesAreLeftOut) {
  MakeDeb deb;
  deb.name = "base-files";
  deb.Folder("./var/").Folder("./var/run/").Folder("./var/lock/");
  Unpacked result = Deb(deb);
  ASSERT_EQ(result.facts.files.size(), 1u);
  EXPECT_EQ(result.facts.files[0].path, "var");
}

TEST_F(DebTest, ConfigurationIsCapturedAndControlKept) {
  MakeDeb deb;
  deb.File("./etc/demo.conf", "a=1").File("./usr/share/ca-certificates/x/y.crt", "PEM");
  deb.File("./etc/huge", std::string(300 << 10, 'x')).File("./usr/bin/z", "z");
  deb.control.push_back({"./postinst", '0', "#!/bin/sh\n"});
  Unpacked result = Deb(deb);
  EXPECT_THAT(result.facts.contents,
              ElementsAre(testing::Pair("etc/demo.conf", "a=1"),
                          testing::Pair("usr/share/ca-certificates/x/y.crt", "PEM")));
  EXPECT_EQ(result.facts.control.at("postinst"), "#!/bin/sh\n");
  EXPECT_THAT(result.facts.control.at("control"), HasSubstr("Package: demo"));
}

TEST_F(DebTest, ModulesAreCompiled) {
  MakeDeb deb;
  deb.File("./usr/lib/python3.11/a.py", "x").File("./usr/lib/python3/dist-packages/p/b.py", "y");
  deb.File("./usr/lib/python3/dist-packages/p/tests/c.py", "z").File("./usr/share/d.py", "w");
  deb.File("./usr/lib/python3.11/e.py", "bad");
  RecordingCompiler compiler;
  DebOptions options;
  options.pyc.compiler = &compiler;
  Unpacked result = Deb(deb, options);
  EXPECT_THAT(compiler.asked, ElementsAre("/usr/lib/python3.11/a.py", "/usr/lib/python3.11/e.py",
                                          "/usr/lib/python3/dist-packages/p/b.py"));
  std::string pyc = "usr/lib/python3.11/__pycache__/a.cpython-311.pyc";
  EXPECT_EQ(result.content[pyc], "pyc of /usr/lib/python3.11/a.py at 1700000000");
  EXPECT_EQ(result.Find(pyc)->mtime, 1'700'000'000);
  EXPECT_EQ(result.Find("usr/lib/python3.11/__pycache__")->type, NodeType::kDirectory);
  EXPECT_FALSE(result.content.contains("usr/lib/python3.11/__pycache__/e.cpython-311.pyc"));
}

TEST_F(DebTest, MoreThanMemoryHoldsGoesThroughAFile) {
  MakeDeb deb;
  std::string large(40 << 20, 'x');
  deb.File("./usr/z", large).File("./usr/a", std::string(20 << 20, 'y'));
  deb.File("./usr/m", std::string(20 << 20, 'm'));
  Unpacked result = Deb(deb);
  EXPECT_TRUE(result.content["usr/z"] == large);
  EXPECT_TRUE(result.content["usr/m"] == std::string(20 << 20, 'm'));
  EXPECT_EQ(result.Find("usr/z")->digest, specs::HashOf(large));
  // Only the package itself is in the scratch folder.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path()), {}), 1);
}

TEST_F(DebTest, AWrongDigestIsAVerificationError) {
  DebOptions options;
  options.sha256 = specs::HashOf("something else");
  EXPECT_THAT(ErrorOf([&] { Deb(MakeDeb().File("./usr/a", "x"), options); }),
              HasSubstr("wrong SHA-256"));
  EXPECT_EQ(kind_, specs::ErrorKind::kVerification);
}

TEST_F(DebTest, HostileEntriesAreRefused) {
  auto error = [&](const MakeDeb& deb) { return ErrorOf([&] { Deb(deb); }); };
  EXPECT_THAT(error(MakeDeb().File("/etc/passwd", "x")), HasSubstr("unsafe path"));
  EXPECT_THAT(error(MakeDeb().File("./usr/../../etc/passwd", "x")), HasSubstr("unsafe path"));
  EXPECT_THAT(error(MakeDeb().HardLink("./usr/a", "./etc/shadow")), HasSubstr("hard link"));
  EXPECT_THAT(error(MakeDeb().File("./usr/a", "x").File("./usr//a", "y")), HasSubstr("twice"));
  EXPECT_THAT(error(MakeDeb().File("./bin/a", "x").File("./usr/bin/a", "y")), HasSubstr("twice"));
  MakeDeb device;
  device.data.push_back({"./dev/sda", '3'});
  EXPECT_THAT(error(device), HasSubstr("device"));
  MakeDeb pipe;
  pipe.data.push_back({"./run/pipe", '6'});
  EXPECT_THAT(error(pipe), HasSubstr("device"));
}

TEST_F(DebTest, WhatIsNoDebIsRefused) {
  MakeDeb future;
  future.format = "3.0\n";
  EXPECT_THAT(ErrorOf([&] { Deb(future); }), HasSubstr("format 2.0"));
  MakeDeb foreign;
  foreign.extra_ar.emplace_back("evil", "x");
  EXPECT_THAT(ErrorOf([&] { Deb(foreign); }), HasSubstr("evil"));
  MakeDeb extended;
  extended.extra_ar.emplace_back("_gpgbuilder", "x");
  EXPECT_EQ(Deb(extended).facts.name, "demo");
  DebOptions options;
  options.sha256 = specs::HashOf("junk");
  std::filesystem::path junk = Put("junk.deb", "junk");
  ErrorOf([&] { (void)ReadDebFacts(junk, options); });
}

TEST_F(DebTest, ACutDebIsRefusedAnywhere) {
  std::string bytes = MakeDeb().File("./usr/a", std::string(5000, 'x')).Bytes();
  // Short of the tar's end marker, which readers do not need.
  for (std::size_t size = 0; size < bytes.size() - 2048; size += 97) {
    std::string cut = bytes.substr(0, size);
    DebOptions options;
    options.sha256 = specs::HashOf(cut);
    std::filesystem::path path = Put("cut.deb", cut);
    ErrorOf([&] { (void)ReadDebFacts(path, options); });
  }
}

}  // namespace
}  // namespace imgbuild::layers
