#include "tests/support/make_deb.h"

#include <fmt/format.h>

namespace imgbuild::support {
namespace {

std::string Ustar(const DebMember& member) {
  std::string block(512, '\0');
  auto put = [&](std::size_t at, std::string_view text) { block.replace(at, text.size(), text); };
  std::string content = member.type == '0' ? member.content : "";
  put(0, member.path.substr(0, 100));
  put(100, fmt::format("{:07o}", member.mode));
  put(108, fmt::format("{:07o}", member.uid));
  put(116, fmt::format("{:07o}", member.gid));
  put(124, fmt::format("{:011o}", content.size()));
  put(136, fmt::format("{:011o}", member.mtime));
  put(148, "        ");
  block[156] = member.type;
  put(157, member.target.substr(0, 100));
  put(257, std::string_view("ustar\00000", 8));
  unsigned sum = 0;
  for (char c : block) sum += static_cast<unsigned char>(c);
  put(148, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  block += content;
  block.resize((block.size() + 511) / 512 * 512);
  return block;
}

std::string Tar(const std::vector<DebMember>& members) {
  std::string tar = Ustar({"./", '5', "", "", 0755});
  for (const DebMember& member : members) tar += Ustar(member);
  return tar + std::string(1024, '\0');
}

std::string ArMember(std::string_view name, const std::string& content) {
  std::string member =
      fmt::format("{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", name, 0, 0, 0, "100644", content.size());
  member += content;
  if (content.size() % 2 == 1) member += '\n';
  return member;
}

}  // namespace

MakeDeb& MakeDeb::File(std::string path, std::string content, std::uint32_t mode) {
  data.push_back({std::move(path), '0', std::move(content), "", mode});
  return *this;
}

MakeDeb& MakeDeb::Link(std::string path, std::string target) {
  data.push_back({std::move(path), '2', "", std::move(target), 0777});
  return *this;
}

MakeDeb& MakeDeb::HardLink(std::string path, std::string target) {
  data.push_back({std::move(path), '1', "", std::move(target)});
  return *this;
}

MakeDeb& MakeDeb::Folder(std::string path) {
  data.push_back({std::move(path), '5', "", "", 0755});
  return *this;
}

std::string MakeDeb::Bytes() const {
  std::vector<DebMember> members = control;
  members.insert(members.begin(),
                 {"./control", '0',
                  fmt::format("Package: {}\nVersion: {}\nArchitecture: {}\nDescription: a test\n",
                              name, version, architecture)});
  std::string deb = "!<arch>\n" + ArMember("debian-binary", format);
  for (const auto& [member, content] : extra_ar) deb += ArMember(member, content);
  return deb + ArMember("control.tar", Tar(members)) + ArMember("data.tar", Tar(data));
}

}  // namespace imgbuild::support
