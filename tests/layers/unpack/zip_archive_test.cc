#include "layers/unpack/zip_archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/base/error.h"
#include "tests/support/make_wheel.h"

namespace imgbuild::layers {
namespace {

using support::MakeZip;
using support::WheelMember;
using testing::HasSubstr;

// "hello hello hello hello\n", deflated.
const std::string kHello = "hello hello hello hello\n";
const std::string kHelloDeflated("\xcb\x48\xcd\xc9\xc9\x57\xc8\x40\x27\xb9\x00", 11);

WheelMember Deflated() {
  WheelMember member{"a/hello", kHello};
  member.method = 8;
  member.raw = kHelloDeflated;
  return member;
}

std::string ErrorOf(const std::vector<WheelMember>& members) {
  std::string zip = MakeZip(members);
  try {
    ZipArchive archive(zip);
    ZipReader reader;
    for (const ZipMember& member : archive.members()) reader.ReadText(member, 1 << 20);
  } catch (const specs::Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "no error was thrown";
  return "";
}

TEST(ZipArchive, ReadsStoredAndDeflatedMembers) {
  std::string zip = MakeZip({{"b/", "", 040755}, {"b/x", "stored", 0100755}, Deflated()});
  ZipArchive archive(zip);
  ASSERT_EQ(archive.members().size(), 3u);
  EXPECT_TRUE(archive.members()[0].directory);
  EXPECT_EQ(archive.members()[0].name, "b");
  EXPECT_TRUE(archive.members()[1].executable);
  ZipReader reader;
  EXPECT_EQ(reader.ReadText(*archive.Find("b/x"), 100), "stored");
  EXPECT_EQ(reader.ReadText(*archive.Find("a/hello"), 100), kHello);
  EXPECT_EQ(archive.Find("a/hell"), nullptr);
  EXPECT_EQ(archive.members()[1].mtime, 1'704'070'922);
}

TEST(ZipArchive, SmallReadsGiveTheSame) {
  std::string zip = MakeZip({Deflated()});
  ZipArchive archive(zip);
  ZipReader reader;
  Source& source = reader.Open(archive.members()[0]);
  std::string text;
  std::byte one;
  while (source.Read({&one, 1}) == 1) text += static_cast<char>(one);
  EXPECT_EQ(text, kHello);
}

TEST(ZipReader, SaysWhatItIsDoneWith) {
  const std::string large(20u << 20, 'x');
  std::string zip = MakeZip({{"a", large}, {"b", "small"}});
  ZipArchive archive(zip);
  std::string_view passed;
  ZipReader reader([&](std::string_view piece) {
    EXPECT_EQ(piece.data(),
              passed.empty() ? archive.Find("a")->data.data() : passed.data() + passed.size());
    // Done with: whatever becomes of it, the content stays what it was.
    std::fill_n(const_cast<char*>(piece.data()), piece.size(), '?');
    passed = {passed.empty() ? piece.data() : passed.data(), passed.size() + piece.size()};
  });
  EXPECT_TRUE(reader.ReadText(*archive.Find("a"), large.size()) == large);
  EXPECT_GE(passed.size(), large.size() / 2);
  EXPECT_LE(passed.size(), large.size());
  const std::string_view before = passed;
  EXPECT_EQ(reader.ReadText(*archive.Find("b"), 100), "small");
  EXPECT_EQ(passed, before);
}

TEST(ZipArchive, UnsafeNamesAreRefused) {
  for (const char* name : {"../x", "/x", "a/../x", "a//x", "./x", "a\\x", "", "a/..", "//"}) {
    EXPECT_THAT(ErrorOf({{name, "x"}}), HasSubstr("unsafe path")) << name;
  }
  EXPECT_THAT(ErrorOf({{std::string("a\0b", 3), "x"}}), HasSubstr("unsafe path"));
  EXPECT_THAT(ErrorOf({{"a", "1"}, {"a", "2"}}), HasSubstr("twice"));
  EXPECT_THAT(ErrorOf({{"a/", ""}, {"a", "2"}}), HasSubstr("twice"));
}

TEST(ZipArchive, LinksAndEncryptedMembersAreRefused) {
  EXPECT_THAT(ErrorOf({{"a", "/etc", 0120777}}), HasSubstr("link or device"));
  EXPECT_THAT(ErrorOf({{"a", "", 020666}}), HasSubstr("link or device"));
  WheelMember encrypted{"a", "x"};
  encrypted.flags = 1;
  EXPECT_THAT(ErrorOf({encrypted}), HasSubstr("encrypted"));
  WheelMember lzma{"a", "x"};
  lzma.method = 14;
  EXPECT_THAT(ErrorOf({lzma}), HasSubstr("method 14"));
}

TEST(ZipArchive, WrongSizesAndChecksumsAreRefused) {
  WheelMember longer = Deflated();
  longer.declared = static_cast<std::int64_t>(kHello.size()) - 1;
  EXPECT_THAT(ErrorOf({longer}), HasSubstr("longer than declared"));
  WheelMember shorter = Deflated();
  shorter.declared = static_cast<std::int64_t>(kHello.size()) + 1;
  EXPECT_THAT(ErrorOf({shorter}), HasSubstr("shorter than declared"));
  WheelMember bomb = Deflated();
  bomb.declared = 1 << 30;
  EXPECT_THAT(ErrorOf({bomb}), HasSubstr("impossible size"));
  WheelMember stored{"a", "x"};
  stored.declared = 2;
  EXPECT_THAT(ErrorOf({stored}), HasSubstr("impossible size"));
  WheelMember checksum{"a", "x"};
  checksum.wrong_checksum = true;
  EXPECT_THAT(ErrorOf({checksum}), HasSubstr("checksum"));
  WheelMember trailing = Deflated();
  trailing.raw += "more";
  EXPECT_THAT(ErrorOf({trailing}), HasSubstr("bytes follow"));
}

TEST(ZipArchive, HeadersMustAgree) {
  WheelMember member{"good", "x"};
  member.local_name = "evil";
  EXPECT_THAT(ErrorOf({member}), HasSubstr("another file in its local header"));
}

TEST(ZipArchive, OverlappingMembersAreRefused) {
  std::string zip = MakeZip({{"a", "1"}, {"a", "1"}});
  // Both headers of the directory point at the first member; the second is called "b" there.
  std::size_t second = zip.rfind("PK\x01\x02");
  zip[second + 42] = 0;
  try {
    ZipArchive archive(zip);
    FAIL();
  } catch (const specs::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("twice"));
  }
  WheelMember inner{"b", "22"};
  std::string nested = MakeZip({inner}).substr(0, 33);
  zip = MakeZip({{"a", nested}, inner});
  second = zip.rfind("PK\x01\x02");
  std::size_t inside = zip.find("PK\x03\x04", 1);
  zip[second + 42] = static_cast<char>(inside);
  try {
    ZipArchive archive(zip);
    FAIL();
  } catch (const specs::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("overlap"));
  }
}

TEST(ZipArchive, EveryCutAndEveryChangedByteIsSafe) {
  std::string zip = MakeZip({{"b/x", "stored", 0100755}, Deflated()});
  for (std::size_t size = 0; size < zip.size(); ++size) {
    EXPECT_THROW(ZipArchive(std::string_view(zip).substr(0, size)), specs::Error);
  }
  for (std::size_t at = 0; at < zip.size(); ++at) {
    for (int change : {0x01, 0x80, 0xff}) {
      std::string changed = zip;
      changed[at] = static_cast<char>(changed[at] ^ change);
      FuzzZip(changed);
    }
  }
}

}  // namespace
}  // namespace imgbuild::layers
