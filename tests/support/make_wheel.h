// A wheel (PEP 427) or any zip whose every field a test decides, honest or hostile.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace imgbuild::support {

// One member, stored without compression. What is not set follows from the content.
struct WheelMember {
  std::string name;
  std::string content;
  std::uint32_t mode = 0100644;  // Unix, with type bits
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint16_t date = 0x5821;  // 2024-01-01
  std::uint16_t time = 0x0841;  // 01:02:02
  std::string local_name;       // of the local header; "" is name
  std::int64_t declared = -1;   // uncompressed size; -1 is the content's
  std::string raw;              // the stored bytes; "" is the content
  bool wrong_checksum = false;
};

// The zip of these members, in order.
std::string MakeZip(const std::vector<WheelMember>& members);

struct MakeWheel {
  std::string name = "demo";
  std::string version = "1.0";
  std::vector<WheelMember> members;  // besides .dist-info
  std::vector<std::string> requires_dist;
  std::string entry_points;  // none when empty
  std::string wheel_version = "1.0";
  std::string record;  // "" is the right one

  std::string FileName() const { return name + "-" + version + "-py3-none-any.whl"; }
  std::string DistInfo() const { return name + "-" + version + ".dist-info"; }
  std::vector<WheelMember> AllMembers() const;
  std::string Bytes() const { return MakeZip(AllMembers()); }
};

}  // namespace imgbuild::support
