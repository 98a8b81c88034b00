#include "builder/state/ld_cache_format.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

namespace imgbuild::builder {
namespace {

constexpr std::string_view kMagic = "glibc-ld.so.cache1.1";
constexpr std::size_t kHeaderSize = 48;
constexpr std::size_t kEntrySize = 24;
constexpr std::size_t kSectionSize = 16;
constexpr std::uint32_t kLittleEndian = 2;
constexpr std::uint32_t kExtensionMagic = 0xEAA42174;
constexpr std::uint32_t kTagGenerator = 0;
constexpr std::uint32_t kTagHwcaps = 1;
constexpr std::uint64_t kHwcapExtension = std::uint64_t{1} << 62;

void Put32(std::string& out, std::uint64_t value) {
  for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(value >> shift & 0xFF);
}

void Put64(std::string& out, std::uint64_t value) {
  Put32(out, value);
  Put32(out, value >> 32);
}

bool IsDigit(std::string_view text, std::size_t at) {
  return at < text.size() && text[at] >= '0' && text[at] <= '9';
}

std::uint32_t TakeNumber(std::string_view text, std::size_t& at) {
  std::uint32_t number = 0;
  while (IsDigit(text, at)) number = number * 10 + static_cast<std::uint32_t>(text[at++] - '0');
  return number;
}

// Strings, of which one that ends another shares its place.
class StringTable {
 public:
  explicit StringTable(const std::set<std::string>& strings) {
    std::vector<std::string_view> sorted(strings.begin(), strings.end());
    // By last byte first, descending; of two where one ends the other, the longer first.
    std::ranges::sort(sorted, [](std::string_view a, std::string_view b) {
      auto [in_a, in_b] = std::mismatch(a.rbegin(), a.rend(), b.rbegin(), b.rend());
      if (in_a == a.rend()) return false;
      if (in_b == b.rend()) return true;
      return static_cast<unsigned char>(*in_a) > static_cast<unsigned char>(*in_b);
    });
    std::string_view previous;
    for (std::string_view string : sorted) {
      if (!previous.ends_with(string) || previous.empty()) {
        bytes_ += string;
        bytes_ += '\0';
      }
      offsets_[std::string(string)] = bytes_.size() - 1 - string.size();
      previous = string;
    }
  }

  std::size_t Offset(const std::string& string) const { return offsets_.at(string); }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
  std::map<std::string, std::size_t> offsets_;
};

bool Before(const LdCacheEntry& a, const LdCacheEntry& b) {
  if (int order = CompareLibraries(a.soname, b.soname); order != 0) return order > 0;
  if (a.flags != b.flags) return a.flags > b.flags;
  if (a.hwcaps.empty() != b.hwcaps.empty()) return !a.hwcaps.empty();
  return a.hwcaps < b.hwcaps;
}

// The generator's name and the offsets of the hwcaps folders' names.
std::string Extensions(std::size_t begin, const std::vector<std::uint64_t>& hwcaps,
                       std::string_view generator) {
  const std::size_t sections = hwcaps.empty() ? 1 : 2;
  const std::size_t hwcaps_at = begin + 8 + sections * kSectionSize;
  const std::size_t generator_at = hwcaps_at + hwcaps.size() * 4;
  std::string out;
  Put32(out, kExtensionMagic);
  Put32(out, sections);
  for (std::uint64_t value : {std::uint64_t{kTagGenerator}, std::uint64_t{0},
                              std::uint64_t{generator_at}, std::uint64_t{generator.size()}}) {
    Put32(out, value);
  }
  if (!hwcaps.empty()) {
    for (std::uint64_t value : {std::uint64_t{kTagHwcaps}, std::uint64_t{0},
                                std::uint64_t{hwcaps_at}, std::uint64_t{hwcaps.size() * 4}}) {
      Put32(out, value);
    }
    for (std::uint64_t offset : hwcaps) Put32(out, offset);
  }
  return out.append(generator);
}

}  // namespace

int CompareLibraries(std::string_view a, std::string_view b) {
  std::size_t i = 0, j = 0;
  while (i < a.size()) {
    if (IsDigit(a, i)) {
      if (!IsDigit(b, j)) return 1;
      const std::uint32_t x = TakeNumber(a, i), y = TakeNumber(b, j);
      if (x != y) return x < y ? -1 : 1;
    } else if (IsDigit(b, j)) {
      return -1;
    } else if (j >= b.size()) {
      return 1;
    } else if (a[i] != b[j]) {
      return a[i] < b[j] ? -1 : 1;
    } else {
      ++i, ++j;
    }
  }
  return j < b.size() ? -1 : 0;
}

std::string RenderLdCache(const LdCache& cache) {
  std::vector<LdCacheEntry> entries = cache.entries;
  std::ranges::stable_sort(entries, Before);
  std::set<std::string> strings(cache.hwcaps.begin(), cache.hwcaps.end());
  std::map<std::string, std::uint64_t> used;  // hwcaps folder -> its number, in order of name
  for (const LdCacheEntry& entry : entries) {
    strings.insert({entry.soname, entry.path});
    if (!entry.hwcaps.empty()) used.emplace(entry.hwcaps, 0);
  }
  std::uint64_t number = 0;
  for (auto& [name, index] : used) index = number++;
  for (const auto& [name, index] : used) strings.insert(name);

  const StringTable table(strings);
  const std::size_t base = kHeaderSize + entries.size() * kEntrySize;
  const std::size_t end = base + table.bytes().size();
  const std::size_t extension_at = (end + 3) / 4 * 4;
  std::string out(kMagic);
  Put32(out, entries.size());
  Put32(out, table.bytes().size());
  Put32(out, kLittleEndian);
  Put32(out, extension_at);
  out.append(12, '\0');
  for (const LdCacheEntry& entry : entries) {
    Put32(out, entry.flags);
    Put32(out, base + table.Offset(entry.soname));
    Put32(out, base + table.Offset(entry.path));
    Put32(out, 0);
    Put64(out, entry.hwcaps.empty() ? 0 : kHwcapExtension | used.at(entry.hwcaps));
  }
  out += table.bytes();
  out.append(extension_at - end, '\0');
  std::vector<std::uint64_t> hwcaps;
  for (const auto& [name, index] : used) hwcaps.push_back(base + table.Offset(name));
  return out + Extensions(extension_at, hwcaps, cache.generator);
}

}  // namespace imgbuild::builder
