#include "tests/support/mini_deb.h"

#include <cstring>
#include <set>
#include <string_view>

#include <fmt/format.h>

namespace imgbuild::support {
namespace {

// One ustar entry. REQUIRES: path and target of less than 100 bytes.
std::string TarEntry(const std::string& path, char type, std::uint32_t mode,
                     const std::string& content, const std::string& target) {
  std::string block(512, '\0');
  auto put = [&](std::size_t at, const std::string& text) { block.replace(at, text.size(), text); };
  put(0, path);
  put(100, fmt::format("{:07o}", mode));
  put(108, fmt::format("{:07o}", 0));
  put(116, fmt::format("{:07o}", 0));
  put(124, fmt::format("{:011o}", content.size()));
  put(136, fmt::format("{:011o}", 1'700'000'000));
  put(148, "        ");
  block[156] = type;
  put(157, target);
  put(257, std::string("ustar\0"
                       "00",
                       8));
  put(265, "root");
  put(297, "root");
  unsigned sum = 0;
  for (char c : block) sum += static_cast<unsigned char>(c);
  put(148, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  block += content;
  block.resize((block.size() + 511) / 512 * 512);
  return block;
}

std::string EndOfTar(std::string tar) { return tar + std::string(1024, '\0'); }

void AddParents(const std::string& path, std::set<std::string>& folders) {
  for (std::size_t slash = path.find('/'); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    folders.insert(path.substr(0, slash));
  }
}

std::string ArMember(std::string_view name, const std::string& content) {
  std::string member = fmt::format("{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", name, 1'700'000'000, 0,
                                   0, "100644", content.size());
  member += content;
  if (content.size() % 2 == 1) member += '\n';
  return member;
}

}  // namespace

std::string MiniDeb::FileName() const {
  return fmt::format("{}_{}_{}.deb", name, version.substr(version.find(':') + 1), architecture);
}

std::string MiniDeb::PoolPath() const {
  std::string prefix = name.starts_with("lib") ? name.substr(0, 4) : name.substr(0, 1);
  return fmt::format("pool/main/{}/{}/{}", prefix, name, FileName());
}

std::string MiniDeb::Control() const {
  std::string text = fmt::format(
      "Package: {}\nVersion: {}\nArchitecture: {}\nMaintainer: Nobody <nobody@mirror.example>\n",
      name, version, architecture);
  for (const auto& [field, value] : fields) text += fmt::format("{}: {}\n", field, value);
  return text + fmt::format("Description: {} for tests\n", name);
}

std::string MiniDeb::Bytes() const {
  std::string control = TarEntry("./", '5', 0755, "", "");
  control += TarEntry("./control", '0', 0644, Control(), "");
  for (const auto& [file, content] : control_files) {
    control += TarEntry("./" + file, '0', 0755, content, "");
  }
  std::set<std::string> folders;
  for (const auto& [path, content] : files) AddParents(path, folders);
  for (const auto& [path, target] : links) AddParents(path, folders);
  std::string data = TarEntry("./", '5', 0755, "", "");
  for (const std::string& folder : folders)
    data += TarEntry("./" + folder + "/", '5', 0755, "", "");
  for (const auto& [path, content] : files) {
    auto mode = modes.find(path);
    data += TarEntry("./" + path, '0', mode == modes.end() ? 0644 : mode->second, content, "");
  }
  for (const auto& [path, target] : links) {
    data += TarEntry("./" + path, '2', 0777, "", target);
  }
  return "!<arch>\n" + ArMember("debian-binary", "2.0\n") +
         ArMember("control.tar", EndOfTar(control)) + ArMember("data.tar", EndOfTar(data));
}

}  // namespace imgbuild::support
