#include "layers/unpack/wheel.h"

#include <gmock/gmock.h>

#include "layers/unpack/zip_archive.h"
#include "specs/python/record.h"
#include "tests/layers/unpack/unpack_fixture.h"

namespace imgbuild::layers {
namespace {

using support::MakeWheel;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kSite[] = "opt/venv/lib/python3.11/site-packages/";

class WheelTest : public UnpackTest {
 protected:
  Unpacked Install(const MakeWheel& wheel, WheelOptions options = {}) {
    return Wheel(wheel.Bytes(), std::move(options));
  }
  std::string Site(const std::string& path) const { return kSite + path; }

  static std::string RecordOf(const MakeWheel& wheel) {
    const std::string bytes = wheel.Bytes();
    ZipReader reader;
    return reader.ReadText(*ZipArchive(bytes).Find("demo-1.0.dist-info/RECORD"), 1 << 20);
  }
};

TEST_F(WheelTest, FilesGoToSitePackages) {
  MakeWheel wheel;
  wheel.members = {{"demo/__init__.py", "x = 1\n"}, {"demo/tool", "#!/bin/sh\n", 0100755}};
  Unpacked result = Install(wheel);
  EXPECT_THAT(result.order,
              ElementsAre(Site("demo-1.0.dist-info/INSTALLER"), Site("demo-1.0.dist-info/METADATA"),
                          Site("demo-1.0.dist-info/RECORD"), Site("demo-1.0.dist-info/WHEEL"),
                          Site("demo/__init__.py"), Site("demo/tool")));
  const Node* node = result.Find(Site("demo/__init__.py"));
  EXPECT_EQ(node->mode, 0664u);
  EXPECT_EQ(node->uid, 1000u);
  EXPECT_EQ(node->gid, 0u);
  EXPECT_EQ(node->mtime, 1'704'070'922);  // 2024-01-01T01:02:02Z
  EXPECT_EQ(result.Find(Site("demo/tool"))->mode, 0775u);
  EXPECT_EQ(result.Find("opt/venv")->mode, 0775u);
  EXPECT_EQ(result.Find("opt"), nullptr);
  EXPECT_EQ(result.content[Site("demo-1.0.dist-info/INSTALLER")], "imgbuild\n");
  EXPECT_EQ(result.facts.name, "demo");
  EXPECT_THAT(result.facts.contents.at(Site("demo-1.0.dist-info/METADATA")),
              HasSubstr("Name: demo"));
}

TEST_F(WheelTest, RecordListsEverythingSorted) {
  MakeWheel wheel;
  wheel.members = {{"demo.py", ""}, {"demo-1.0.data/data/share/x.txt", "hi"}};
  wheel.entry_points = "[console_scripts]\ndemo = demo:main\n";
  RecordingCompiler compiler;
  WheelOptions options;
  options.pyc.compiler = &compiler;
  options.requested = Requested::kDirectly;
  Unpacked result = Install(wheel, options);
  std::string record = result.content[Site("demo-1.0.dist-info/RECORD")];
  EXPECT_THAT(record, testing::StartsWith("../../../bin/demo,sha256="));
  EXPECT_THAT(record, HasSubstr("\n../../../share/x.txt,sha256=j0NDRmSPa5bfid2pAcUXaxCm2Dlh3TwayI"
                                "tZstwyeqQ,2\n"));
  EXPECT_THAT(record, HasSubstr("\n__pycache__/demo.cpython-311.pyc,,\n"));
  EXPECT_THAT(record, HasSubstr("\ndemo-1.0.dist-info/RECORD,,\n"));
  EXPECT_THAT(record, HasSubstr("\ndemo-1.0.dist-info/REQUESTED,sha256=47DEQpj8HBSa-_TImW-5JCeuQe"
                                "Rkm5NMpJWZG3hSuFU,0\n"));
  EXPECT_EQ(result.content[Site("__pycache__/demo.cpython-311.pyc")],
            "pyc of /opt/venv/lib/python3.11/site-packages/demo.py at 1704070922");
}

TEST_F(WheelTest, EntryPointsBecomeScripts) {
  MakeWheel wheel;
  wheel.entry_points =
      "[console_scripts]\nrun = demo.cli:App.main [extra]\n[gui_scripts]\ngui=demo:gui\n"
      "[other]\nnot a script\n";
  Unpacked result = Install(wheel);
  std::string script = result.content["opt/venv/bin/run"];
  EXPECT_THAT(script, testing::StartsWith("#!/opt/venv/bin/python\n"));
  EXPECT_THAT(script, HasSubstr("from demo.cli import App\n"));
  EXPECT_THAT(script, HasSubstr("sys.exit(App.main())"));
  EXPECT_EQ(result.Find("opt/venv/bin/gui")->mode, 0775u);
}

TEST_F(WheelTest, DataIsSpreadByScheme) {
  MakeWheel wheel;
  wheel.members = {{"demo-1.0.data/purelib/p.py", "p"},
                   {"demo-1.0.data/platlib/q.py", "q"},
                   {"demo-1.0.data/scripts/s", "#!python -E\ncode\n"},
                   {"demo-1.0.data/scripts/t", "#!/bin/sh\n"},
                   {"demo-1.0.data/headers/h.h", "h"},
                   {"demo-1.0.data/data/etc/e", "e"}};
  Unpacked result = Install(wheel);
  EXPECT_EQ(result.content[Site("p.py")], "p");
  EXPECT_EQ(result.content[Site("q.py")], "q");
  EXPECT_EQ(result.content["opt/venv/bin/s"], "#!/opt/venv/bin/python -E\ncode\n");
  EXPECT_EQ(result.content["opt/venv/bin/t"], "#!/bin/sh\n");
  EXPECT_EQ(result.Find("opt/venv/bin/t")->mode, 0775u);
  EXPECT_EQ(result.content["opt/venv/include/site/python3.11/demo/h.h"], "h");
  EXPECT_EQ(result.content["opt/venv/etc/e"], "e");
  wheel.members = {{"demo-1.0.data/etc/x", "x"}};
  EXPECT_THAT(ErrorOf([&] { Install(wheel); }), HasSubstr("no installation scheme"));
}

TEST_F(WheelTest, TestsAreCompiledOnlyWhenAsked) {
  MakeWheel wheel;
  wheel.members = {{"demo/a.py", ""}, {"demo/tests/b.py", ""}, {"tests/c.py", ""}};
  RecordingCompiler compiler;
  WheelOptions options;
  options.pyc.compiler = &compiler;
  (void)Install(wheel, options);
  EXPECT_EQ(compiler.asked.size(), 2u);
  compiler.asked.clear();
  options.pyc.mode = specs::Compile::kAll;
  (void)Install(wheel, options);
  EXPECT_EQ(compiler.asked.size(), 3u);
  compiler.asked.clear();
  options.pyc.mode = specs::Compile::kNone;
  (void)Install(wheel, options);
  EXPECT_TRUE(compiler.asked.empty());
}

TEST_F(WheelTest, RecordIsChecked) {
  MakeWheel wheel;
  wheel.members = {{"demo.py", "x"}};
  auto with_record = [&](const std::string& record) {
    wheel.record = record;
    return ErrorOf([&] { Install(wheel); });
  };
  std::string info =
      "demo-1.0.dist-info/METADATA,sha256=" + std::string(43, 'A') + ",\ndemo-1.0.dist-info/WHEEL,";
  EXPECT_THAT(with_record("demo.py,sha256=" + std::string(43, 'A') + ",1\n"),
              HasSubstr("does not list"));
  EXPECT_THAT(with_record("demo.py,md5=abc,1\n"), HasSubstr("no usable hash"));
  EXPECT_THAT(with_record("demo.py,sha256=" + std::string(43, 'A') + ",2\n"),
              HasSubstr("not as RECORD says"));
  EXPECT_THAT(with_record("gone.py,sha256=" + std::string(43, 'A') + ",1\n"),
              HasSubstr("not in the wheel"));
  EXPECT_THAT(with_record("\"open"), HasSubstr("cannot be read"));
  EXPECT_EQ(kind_, specs::ErrorKind::kVerification);
  EXPECT_THAT(with_record("demo.py,sha256=" + std::string(43, 'A') + ",1\n" + info +
                          "sha256=" + std::string(43, 'A') + ",\n"),
              HasSubstr("not as RECORD says"));
  EXPECT_EQ(kind_, specs::ErrorKind::kVerification);
}

// Small and large files, and one that RECORD has no SHA-256 of.
TEST_F(WheelTest, WhereRecordWasVerifiedTheResultIsTheSame) {
  MakeWheel wheel;
  wheel.members = {{"demo/large.bin", std::string(40u << 20, 'x')}, {"demo/z.py", "z"}};
  std::string record = RecordOf(wheel);
  const std::string promised = specs::RecordHash(specs::HashOf("z"));
  record.replace(record.find(promised), promised.size(), "sha512=" + std::string(86, 'A'));
  wheel.record = record;
  const Unpacked first = Install(wheel);
  const Unpacked again = Install(wheel, {.record_verified = true});
  EXPECT_EQ(again.facts, first.facts);
  EXPECT_TRUE(again.content == first.content);
  EXPECT_EQ(again.Find(Site("demo/z.py"))->digest, specs::HashOf("z"));
}

TEST_F(WheelTest, WhereRecordWasVerifiedChecksumsAreLookedAtAllTheSame) {
  MakeWheel wheel;
  wheel.members = {{"demo.py", std::string(2000, '#')}};
  std::string bytes = wheel.Bytes();
  bytes[bytes.find("####") + 1000] = '$';
  EXPECT_THAT(ErrorOf([&] { Wheel(bytes, {.record_verified = true}); }),
              HasSubstr("its checksum is wrong"));
}

TEST_F(WheelTest, LargeFilesAreCheckedOnTheirWay) {
  std::string large(40u << 20, 'x');
  large.replace(large.size() - 3, 3, "end");
  MakeWheel wheel;
  wheel.members = {{"demo/a.py", ""}, {"demo/large.bin", large}, {"demo/z.py", "z"}};
  const Unpacked unpacked = Install(wheel);
  EXPECT_TRUE(unpacked.content.at(Site("demo/large.bin")) == large);
  EXPECT_EQ(unpacked.Find(Site("demo/large.bin"))->digest, specs::HashOf(large));

  // The RECORD of a wheel in which that file has another last byte.
  MakeWheel other = wheel;
  other.members[1].content.back() = 'D';
  wheel.record = RecordOf(other);
  EXPECT_THAT(ErrorOf([&] { Install(wheel); }), HasSubstr("demo/large.bin is not as RECORD says"));
  EXPECT_EQ(kind_, specs::ErrorKind::kVerification);
}

TEST_F(WheelTest, WhatIsNoWheelIsRefused) {
  MakeWheel future;
  future.wheel_version = "2.0";
  EXPECT_THAT(ErrorOf([&] { Install(future); }), HasSubstr("Wheel-Version 2.0"));
  MakeWheel other;
  other.name = "other";
  EXPECT_THAT(ErrorOf([&] { Install(other); }), HasSubstr("another project than its file"));
  EXPECT_THAT(ErrorOf([&] { Wheel(support::MakeZip({{"a", "b"}})); }), HasSubstr("no wheel"));
  MakeWheel twice;
  twice.members = {{"p.py", "1"}, {"demo-1.0.data/purelib/p.py", "2"}};
  EXPECT_THAT(ErrorOf([&] { Install(twice); }), HasSubstr("twice"));
  MakeWheel script;
  script.entry_points = "[console_scripts]\n../evil = a:b\n";
  EXPECT_THAT(ErrorOf([&] { Install(script); }), HasSubstr("cannot be installed"));
  MakeWheel climbing;
  climbing.members = {{"demo-1.0.data/data/../../x", "x"}};
  EXPECT_THAT(ErrorOf([&] { Install(climbing); }), HasSubstr("unsafe path"));
  WheelOptions options;
  options.sha256 = specs::HashOf("other");
  EXPECT_THAT(ErrorOf([&] { Install(MakeWheel(), options); }), HasSubstr("wrong SHA-256"));
  EXPECT_EQ(kind_, specs::ErrorKind::kVerification);
}

}  // namespace
}  // namespace imgbuild::layers
