// A .deb whose every member and field a test decides, honest or hostile (deb(5)).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace imgbuild::support {

// One entry of a ustar archive, written as it stands, however wrong.
struct DebMember {
  std::string path;  // "./usr/bin/x"
  char type = '0';   // '0' file, '1' hard link, '2' symbolic link, '3' device, '5' folder, '6' fifo
  std::string content;
  std::string target;
  std::uint32_t mode = 0644;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::int64_t mtime = 1'700'000'000;
};

struct MakeDeb {
  std::string name = "demo";
  std::string version = "1.0-1";
  std::string architecture = "amd64";
  std::string format = "2.0\n";  // of debian-binary
  std::vector<DebMember> data;
  std::vector<DebMember> control;                             // besides "./control"
  std::vector<std::pair<std::string, std::string>> extra_ar;  // members before control.tar

  MakeDeb& File(std::string path, std::string content, std::uint32_t mode = 0644);
  MakeDeb& Link(std::string path, std::string target);
  MakeDeb& HardLink(std::string path, std::string target);
  MakeDeb& Folder(std::string path);

  // Members in the order they were added.
  std::string Bytes() const;
};

}  // namespace imgbuild::support
