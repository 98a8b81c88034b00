#include "layers/unpack/zip_archive.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <optional>

#include <fmt/format.h>
#include <sys/stat.h>

#include "layers/tree/file_tree.h"
#include "layers/tree/path.h"
#include "specs/base/error.h"

namespace imgbuild::layers {
namespace {

using specs::Error;

constexpr std::uint32_t kEndSignature = 0x06054b50;
constexpr std::uint32_t kEnd64Signature = 0x06064b50;
constexpr std::uint32_t kLocator64Signature = 0x07064b50;
constexpr std::uint32_t kCentralSignature = 0x02014b50;
constexpr std::uint32_t kLocalSignature = 0x04034b50;
constexpr std::size_t kEndSize = 22;
constexpr std::size_t kLocator64Size = 20;
constexpr std::size_t kEnd64Size = 56;
constexpr std::size_t kCentralSize = 46;
constexpr std::size_t kLocalSize = 30;
constexpr std::size_t kMaxComment = 0xffff;
constexpr std::uint64_t kMaxMembers = 1'000'000;
// Deflate cannot say more with a byte (RFC 1951).
constexpr std::uint64_t kMaxRatio = 1032;

constexpr std::uint16_t kFlagEncrypted = 1 << 0;
constexpr std::uint16_t kFlagDescriptor = 1 << 3;
constexpr std::uint16_t kFlagPatched = 1 << 5;
constexpr std::uint16_t kFlagStrong = 1 << 6;
constexpr std::uint16_t kFlagMasked = 1 << 13;

[[noreturn]] void Damaged(std::string_view what) {
  throw Error(fmt::format("the zip archive is damaged: {}", what));
}

// Bytes that were checked to be there once are read without looking again.
template <typename Number>
Number Get(std::string_view bytes, std::size_t at) {
  Number value = 0;
  for (std::size_t i = sizeof(Number); i-- > 0;) {
    value = static_cast<Number>(value << 8 | static_cast<unsigned char>(bytes[at + i]));
  }
  return value;
}

std::string_view Part(std::string_view bytes, std::uint64_t at, std::uint64_t size,
                      std::string_view what) {
  if (at > bytes.size() || bytes.size() - at < size) Damaged(fmt::format("{} is cut short", what));
  return bytes.substr(at, size);
}

struct Place {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::uint64_t members = 0;
};

std::size_t FindEnd(std::string_view bytes) {
  if (bytes.size() < kEndSize) Damaged("it has no end record");
  std::size_t last = bytes.size() - kEndSize;
  std::size_t first = last > kMaxComment ? last - kMaxComment : 0;
  for (std::size_t at = last + 1; at-- > first;) {
    if (Get<std::uint32_t>(bytes, at) == kEndSignature &&
        Get<std::uint16_t>(bytes, at + 20) == bytes.size() - at - kEndSize) {
      return at;
    }
  }
  Damaged("it has no end record");
}

Place LocateWide(std::string_view bytes, std::size_t end) {
  if (end < kLocator64Size) Damaged("its zip64 end is missing");
  std::string_view locator = bytes.substr(end - kLocator64Size, kLocator64Size);
  if (Get<std::uint32_t>(locator, 0) != kLocator64Signature) Damaged("its zip64 end is missing");
  std::string_view record =
      Part(bytes, Get<std::uint64_t>(locator, 8), kEnd64Size, "the zip64 end");
  if (Get<std::uint32_t>(record, 0) != kEnd64Signature) Damaged("its zip64 end is missing");
  if (Get<std::uint32_t>(record, 16) != 0 || Get<std::uint32_t>(record, 20) != 0) {
    Damaged("it spans several disks");
  }
  return {Get<std::uint64_t>(record, 48), Get<std::uint64_t>(record, 40),
          Get<std::uint64_t>(record, 32)};
}

Place LocateDirectory(std::string_view bytes) {
  std::size_t end = FindEnd(bytes);
  if (Get<std::uint16_t>(bytes, end + 4) != 0 || Get<std::uint16_t>(bytes, end + 6) != 0) {
    // 0xffff stands for "see zip64"
    if (Get<std::uint16_t>(bytes, end + 4) != 0xffff) Damaged("it spans several disks");
  }
  Place place{Get<std::uint32_t>(bytes, end + 16), Get<std::uint32_t>(bytes, end + 12),
              Get<std::uint16_t>(bytes, end + 10)};
  if (place.offset == 0xffffffff || place.size == 0xffffffff || place.members == 0xffff) {
    place = LocateWide(bytes, end);
  }
  if (place.members > kMaxMembers) Damaged("it has too many members");
  if (place.offset > end) Damaged("its directory lies outside it");
  return place;
}

std::int64_t TimeOf(std::uint16_t date, std::uint16_t time) {
  using namespace std::chrono;
  year_month_day day(year(1980 + (date >> 9)), month((date >> 5) & 15),
                     std::chrono::day(date & 31));
  if (!day.ok()) return kFixedTime;
  std::int64_t seconds = (time >> 11) * 3600 + ((time >> 5) & 63) * 60 + (time & 31) * 2;
  std::int64_t days = sys_days(day).time_since_epoch().count();
  return std::max<std::int64_t>(days * 86'400 + seconds, kFixedTime);
}

// One header of the central directory with the values of its zip64 field put in.
struct Central {
  std::uint16_t made_by = 0;
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint32_t attributes = 0;
  std::uint64_t compressed = 0;
  std::uint64_t local = 0;
  ZipMember member;
};

// APPNOTE 4.5.3: the field holds only the values whose short form is all ones, in this order.
void ApplyZip64(std::string_view extra, Central& central) {
  auto needs = [](std::uint64_t value) { return value == 0xffffffff; };
  if (!needs(central.member.size) && !needs(central.compressed) && !needs(central.local)) return;
  while (extra.size() >= 4) {
    std::size_t size = Get<std::uint16_t>(extra, 2);
    std::string_view field = Part(extra, 4, size, "an extra field");
    if (Get<std::uint16_t>(extra, 0) == 1) {
      for (std::uint64_t* value : {&central.member.size, &central.compressed, &central.local}) {
        if (!needs(*value)) continue;
        *value = Get<std::uint64_t>(Part(field, 0, 8, "a zip64 field"), 0);
        field.remove_prefix(8);
      }
      return;
    }
    extra.remove_prefix(4 + size);
  }
}

void CheckKind(Central& central, std::string_view name) {
  constexpr std::uint16_t kUnix = 3;
  if ((central.flags & (kFlagEncrypted | kFlagStrong | kFlagMasked)) != 0) {
    throw Error(fmt::format("{} in the zip archive is encrypted", name));
  }
  if ((central.flags & kFlagPatched) != 0 || (central.method != 0 && central.method != 8)) {
    throw Error(fmt::format("{} in the zip archive is compressed in an unknown way", name))
        .Found(fmt::format("method {}", central.method))
        .Expected("stored or deflated");
  }
  if (central.made_by >> 8 != kUnix) return;
  std::uint32_t mode = central.attributes >> 16;
  std::uint32_t type = mode & S_IFMT;
  if (type != 0 && type != S_IFREG && type != S_IFDIR) {
    throw Error(fmt::format("{} in the zip archive is a link or device", name))
        .Expected("files and directories");
  }
  central.member.executable = (mode & 0111) != 0;
}

void SetName(std::string_view name, ZipMember& member) {
  member.directory = name.ends_with('/');
  if (member.directory) name.remove_suffix(1);
  if (!IsCanonicalPath(name) || name.find('\\') != std::string_view::npos) {
    throw Error(fmt::format("the zip archive has the unsafe path \"{}\"", name))
        .Expected("relative paths without \"..\"");
  }
  member.name = name;
}

// The data, found through the local header, which must agree.
std::string_view DataOf(std::string_view before_directory, const Central& central,
                        std::string_view name) {
  std::string_view local = Part(before_directory, central.local, kLocalSize, "a local header");
  if (Get<std::uint32_t>(local, 0) != kLocalSignature) Damaged("a local header is missing");
  std::uint64_t name_size = Get<std::uint16_t>(local, 26);
  std::uint64_t extra_size = Get<std::uint16_t>(local, 28);
  std::uint64_t at = central.local + kLocalSize;
  if (Part(before_directory, at, name_size, "a local header") != name ||
      Get<std::uint16_t>(local, 8) != central.method) {
    Damaged(fmt::format("{} is another file in its local header", name));
  }
  std::uint32_t local_size = Get<std::uint32_t>(local, 18);
  if ((central.flags & kFlagDescriptor) == 0 && local_size != 0xffffffff &&
      local_size != central.compressed) {
    Damaged(fmt::format("{} has another size in its local header", name));
  }
  Part(before_directory, at + name_size, extra_size, "a local header");
  return Part(before_directory, at + name_size + extra_size, central.compressed, name);
}

void CheckSizes(const ZipMember& member) {
  bool possible = member.deflated ? member.size / kMaxRatio <= member.data.size()
                                  : member.size == member.data.size();
  if (!possible || (member.directory && member.size != 0)) {
    throw Error(fmt::format("{} in the zip archive declares an impossible size", member.name))
        .Found(fmt::format("{} bytes of {}", member.size, member.data.size()));
  }
}

// Takes one header off the front of `rest`; `before` is all that lies before the directory.
Central TakeCentral(std::string_view& rest, std::string_view before) {
  std::string_view header = Part(rest, 0, kCentralSize, "its directory");
  if (Get<std::uint32_t>(header, 0) != kCentralSignature) Damaged("its directory is cut short");
  std::size_t name_size = Get<std::uint16_t>(header, 28);
  std::size_t extra_size = Get<std::uint16_t>(header, 30);
  std::size_t comment_size = Get<std::uint16_t>(header, 32);
  std::string_view name = Part(rest, kCentralSize, name_size, "its directory");
  std::string_view extra = Part(rest, kCentralSize + name_size, extra_size, "its directory");
  Part(rest, kCentralSize + name_size + extra_size, comment_size, "its directory");
  rest.remove_prefix(kCentralSize + name_size + extra_size + comment_size);
  Central central;
  central.made_by = Get<std::uint16_t>(header, 4);
  central.flags = Get<std::uint16_t>(header, 8);
  central.method = Get<std::uint16_t>(header, 10);
  central.member.mtime = TimeOf(Get<std::uint16_t>(header, 14), Get<std::uint16_t>(header, 12));
  central.member.crc32 = Get<std::uint32_t>(header, 16);
  central.compressed = Get<std::uint32_t>(header, 20);
  central.member.size = Get<std::uint32_t>(header, 24);
  central.attributes = Get<std::uint32_t>(header, 38);
  central.local = Get<std::uint32_t>(header, 42);
  ApplyZip64(extra, central);
  SetName(name, central.member);
  CheckKind(central, name);
  central.member.deflated = central.method == 8;
  central.member.data = DataOf(before, central, name);
  CheckSizes(central.member);
  return central;
}

}  // namespace

ZipArchive::ZipArchive(std::string_view bytes) {
  Place place = LocateDirectory(bytes);
  std::string_view rest = Part(bytes, place.offset, place.size, "its directory");
  std::string_view before = bytes.substr(0, place.offset);
  std::vector<std::uint64_t> begins;
  for (std::uint64_t i = 0; i < place.members; ++i) {
    Central central = TakeCentral(rest, before);
    begins.push_back(central.local);
    members_.push_back(std::move(central.member));
  }
  if (!rest.empty()) Damaged("its directory has more than it says");
  CheckNames();
  CheckOverlap(bytes, begins);
}

void ZipArchive::CheckNames() {
  by_name_.resize(members_.size());
  std::iota(by_name_.begin(), by_name_.end(), std::size_t{0});
  std::ranges::sort(by_name_, {},
                    [&](std::size_t i) { return std::string_view(members_[i].name); });
  for (std::size_t i = 1; i < by_name_.size(); ++i) {
    const ZipMember& member = members_[by_name_[i]];
    if (member.name == members_[by_name_[i - 1]].name) {
      throw Error(fmt::format("the zip archive has {} twice", member.name));
    }
  }
}

void ZipArchive::CheckOverlap(std::string_view bytes,
                              const std::vector<std::uint64_t>& begins) const {
  std::vector<std::size_t> order(members_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return begins[i]; });
  for (std::size_t i = 1; i < order.size(); ++i) {
    const ZipMember& previous = members_[order[i - 1]];
    auto end =
        static_cast<std::uint64_t>(previous.data.data() - bytes.data()) + previous.data.size();
    if (begins[order[i]] < end) {
      throw Error(fmt::format("{} and {} overlap in the zip archive", previous.name,
                              members_[order[i]].name));
    }
  }
}

const ZipMember* ZipArchive::Find(std::string_view name) const {
  auto found = std::ranges::lower_bound(
      by_name_, name, {}, [&](std::size_t i) { return std::string_view(members_[i].name); });
  if (found == by_name_.end() || members_[*found].name != name) return nullptr;
  return &members_[*found];
}

}  // namespace imgbuild::layers
