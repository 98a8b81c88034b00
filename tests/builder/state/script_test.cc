#include "builder/state/script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace imgbuild::builder {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(Script, LeavesNothingOfGeneratedBlocksAndFrames) {
  const Script script = ReadScript(
      "#!/bin/sh\nset -e\n"
      "# Automatically added by dh_python3\nif which py3compile; then\n\tpy3compile -p x\nfi\n"
      "# End automatically added section\n"
      "case \"$1\" in\n  configure)\n  ;;\n  abort-upgrade|abort-remove)\n  ;;\n  *)\n"
      "    echo \"postinst called with unknown argument \\`$1'\" >&2\n    exit 1\n  ;;\nesac\n"
      "exit 0\n");
  EXPECT_THAT(script.residue, IsEmpty());
}

TEST(Script, KeepsBlocksOfUnknownGenerators) {
  const Script script = ReadScript(
      "#!/bin/sh\n# Automatically added by dh_strange/1\nrm -rf /etc\n"
      "# End automatically added section\n");
  EXPECT_THAT(script.residue, ElementsAre("rm -rf /etc"));
}

TEST(Script, ReadsAlternativesOverSeveralLines) {
  const Script script = ReadScript(
      "#!/bin/sh\nif [ \"$1\" = configure ]; then\n"
      "  update-alternatives --install /usr/bin/awk awk /usr/bin/mawk 5 \\\n"
      "    --slave /usr/bin/nawk nawk /usr/bin/mawk || true\nfi\n");
  EXPECT_THAT(script.residue, IsEmpty());
  ASSERT_THAT(script.alternatives, SizeIs(1));
  EXPECT_EQ(script.alternatives[0], (Alternative{"/usr/bin/awk",
                                                 "awk",
                                                 "/usr/bin/mawk",
                                                 5,
                                                 {{"/usr/bin/nawk", "nawk", "/usr/bin/mawk"}}}));
}

TEST(Script, KeepsAlternativesThatAreNotLiteral) {
  const Script script =
      ReadScript("#!/bin/sh\nupdate-alternatives --install /usr/bin/a a \"$path\" 5\n");
  EXPECT_THAT(script.alternatives, IsEmpty());
  EXPECT_THAT(script.residue, SizeIs(1));
}

TEST(Script, FingerprintsOutliveVersionsAndWhiteSpaceButNoEffect) {
  const auto print = [](const char* text) { return ReadScript(text).Fingerprint(); };
  const std::string before =
      print("if old \"$2\" lt 1.2-3~; then\n\trm /lib/x86_64-linux-gnu/a\nfi\n");
  EXPECT_EQ(before,
            print("# new\nif  old \"$2\" lt 1.10-1;  then\n  rm /lib/aarch64-linux-gnu/a\nfi\n"));
  EXPECT_NE(before, print("if old \"$2\" lt 1.2-3~; then\n\trm /lib/x86_64-linux-gnu/b\nfi\n"));
  EXPECT_NE(print("chmod 755 /a\n"), print("chmod 4755 /a\n"));
}

TEST(Script, TakesAnyBytes) {
  EXPECT_NO_THROW(ReadScript(std::string("\0\xff\\\n# Automatically added by \n\\", 32)));
  EXPECT_THAT(ReadScript("").residue, IsEmpty());
}

}  // namespace
}  // namespace imgbuild::builder
