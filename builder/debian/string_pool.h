// The strings of a compiled Packages file while it is being made.
#pragma once

#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>

#include "builder/debian/package_table_format.h"
#include "specs/base/error.h"

namespace imgbuild::builder {

// Texts that occur often are kept once; offset 0 is the empty one.
class StringPool {
 public:
  StringPool() : bytes_(2, '\0') {}

  // `text` must outlive the pool: it is the key.
  StringOffset Intern(std::string_view text) {
    if (text.empty()) return 0;
    auto [entry, added] = offsets_.try_emplace(text, 0);
    if (added) entry->second = Append(text);
    return entry->second;
  }

  // Adds it without looking for an equal one. Throws Error where it is longer than 65,535 bytes.
  StringOffset Append(std::string_view text) {
    if (text.empty()) return 0;
    if (text.size() > std::numeric_limits<std::uint16_t>::max() ||
        bytes_.size() + text.size() + 2 > std::numeric_limits<StringOffset>::max()) {
      throw specs::Error("a field of a Packages file is too long")
          .Found(fmt::format("{} bytes: {}...", text.size(), text.substr(0, 60)));
    }
    auto offset = static_cast<StringOffset>(bytes_.size());
    auto length = static_cast<std::uint16_t>(text.size());
    bytes_.append(reinterpret_cast<const char*>(&length), sizeof(length));
    bytes_.append(text);
    return offset;
  }

  std::string_view At(StringOffset offset) const {
    if (offset == 0) return "";
    std::uint16_t length = 0;
    std::memcpy(&length, bytes_.data() + offset, sizeof(length));
    return std::string_view(bytes_).substr(offset + sizeof(length), length);
  }

  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
  std::unordered_map<std::string_view, StringOffset> offsets_;
};

}  // namespace imgbuild::builder
