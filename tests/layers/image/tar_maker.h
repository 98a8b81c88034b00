// Tars as a test wants them, hostile ones too (POSIX.1-2017, pax, "ustar Interchange Format").
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "layers/io/atomic_file.h"

namespace imgbuild::layers {

class TarMaker {
 public:
  TarMaker& File(const std::string& name, const std::string& content,
                 std::optional<std::uint64_t> claimed_size = {}) {
    Header(name, '0', claimed_size.value_or(content.size()), "");
    bytes_ += content;
    bytes_.resize((bytes_.size() + 511) / 512 * 512);
    return *this;
  }
  TarMaker& Symlink(const std::string& name, const std::string& target) {
    return Header(name, '2', 0, target);
  }
  TarMaker& Hardlink(const std::string& name, const std::string& target) {
    return Header(name, '1', 0, target);
  }
  TarMaker& Directory(const std::string& name) { return Header(name, '5', 0, ""); }

  std::string Bytes() const { return bytes_ + std::string(1024, '\0'); }
  std::filesystem::path WriteTo(const std::filesystem::path& file) const {
    WriteFileAtomically(file, Bytes());
    return file;
  }

 private:
  TarMaker& Header(const std::string& name, char type, std::uint64_t size,
                   const std::string& target) {
    std::string header(512, '\0');
    auto put = [&](std::size_t at, const std::string& text) {
      header.replace(at, text.size(), text);
    };
    put(0, name);
    put(100, "0000644");
    put(108, "0000000");
    put(116, "0000000");
    put(124, fmt::format("{:011o}", size));
    put(136, "00000000000");
    put(148, "        ");
    header[156] = type;
    put(157, target);
    put(257, "ustar");
    put(263, "00");
    unsigned sum = 0;
    for (const char c : header) sum += static_cast<unsigned char>(c);
    put(148, fmt::format("{:06o}", sum));
    header[154] = '\0';
    bytes_ += header;
    return *this;
  }

  std::string bytes_;
};

}  // namespace imgbuild::layers
