#include "tests/support/make_wheel.h"

#include <array>

#include <fmt/format.h>

#include "specs/python/record.h"

namespace imgbuild::support {
namespace {

constexpr std::array<std::uint32_t, 256> kCrcTable = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    table[i] = crc;
  }
  return table;
}();

std::uint32_t Crc32(const std::string& bytes) {
  std::uint32_t crc = 0xffffffff;
  for (unsigned char byte : bytes) crc = (crc >> 8) ^ kCrcTable[(crc ^ byte) & 0xff];
  return ~crc;
}

template <typename Number>
void Put(std::string& out, Number value) {
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    out += static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xff);
  }
}

// The fields that local and central header share, from "version needed" to the extra's length.
void PutShared(std::string& out, const WheelMember& member, const std::string& name) {
  const std::string& raw = member.raw.empty() ? member.content : member.raw;
  std::uint64_t size =
      member.declared >= 0 ? static_cast<std::uint64_t>(member.declared) : member.content.size();
  Put<std::uint16_t>(out, 20);
  Put(out, member.flags);
  Put(out, member.method);
  Put(out, member.time);
  Put(out, member.date);
  Put<std::uint32_t>(out, Crc32(member.content) ^ (member.wrong_checksum ? 1 : 0));
  Put<std::uint32_t>(out, static_cast<std::uint32_t>(raw.size()));
  Put<std::uint32_t>(out, static_cast<std::uint32_t>(size));
  Put<std::uint16_t>(out, static_cast<std::uint16_t>(name.size()));
  Put<std::uint16_t>(out, 0);
}

}  // namespace

std::string MakeZip(const std::vector<WheelMember>& members) {
  std::string zip;
  std::string directory;
  for (const WheelMember& member : members) {
    std::uint32_t offset = static_cast<std::uint32_t>(zip.size());
    const std::string& local = member.local_name.empty() ? member.name : member.local_name;
    Put<std::uint32_t>(zip, 0x04034b50);
    PutShared(zip, member, local);
    zip += local + (member.raw.empty() ? member.content : member.raw);
    Put<std::uint32_t>(directory, 0x02014b50);
    Put<std::uint16_t>(directory, 3 << 8 | 20);
    PutShared(directory, member, member.name);
    Put<std::uint16_t>(directory, 0);  // comment
    Put<std::uint16_t>(directory, 0);  // disk
    Put<std::uint16_t>(directory, 0);
    Put<std::uint32_t>(directory, member.mode << 16);
    Put(directory, offset);
    directory += member.name;
  }
  std::string end;
  Put<std::uint32_t>(end, 0x06054b50);
  Put<std::uint32_t>(end, 0);
  Put<std::uint16_t>(end, static_cast<std::uint16_t>(members.size()));
  Put<std::uint16_t>(end, static_cast<std::uint16_t>(members.size()));
  Put<std::uint32_t>(end, static_cast<std::uint32_t>(directory.size()));
  Put<std::uint32_t>(end, static_cast<std::uint32_t>(zip.size()));
  Put<std::uint16_t>(end, 0);
  return zip + directory + end;
}

std::vector<WheelMember> MakeWheel::AllMembers() const {
  std::vector<WheelMember> all = members;
  std::string metadata =
      fmt::format("Metadata-Version: 2.1\nName: {}\nVersion: {}\n", name, version);
  for (const std::string& need : requires_dist) metadata += "Requires-Dist: " + need + "\n";
  all.push_back({DistInfo() + "/METADATA", metadata});
  all.push_back({DistInfo() + "/WHEEL", fmt::format("Wheel-Version: {}\n", wheel_version)});
  if (!entry_points.empty()) all.push_back({DistInfo() + "/entry_points.txt", entry_points});
  std::vector<specs::RecordEntry> rows;
  for (const WheelMember& member : all) {
    if (member.name.ends_with('/')) continue;
    rows.push_back(
        {member.name, specs::RecordHash(specs::HashOf(member.content)), member.content.size()});
  }
  rows.push_back({DistInfo() + "/RECORD", "", std::nullopt});
  all.push_back({DistInfo() + "/RECORD", record.empty() ? specs::RenderRecord(rows) : record});
  return all;
}

}  // namespace imgbuild::support
