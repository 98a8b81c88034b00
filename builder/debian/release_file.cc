#include "builder/debian/release_file.h"

#include <array>
#include <chrono>

#include <fmt/format.h>

#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/debian/control.h"

namespace imgbuild::builder {
namespace {

using specs::Error;

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words;
  for (std::string_view word : specs::SplitWords(text)) words.emplace_back(word);
  return words;
}

bool IsPackagesFile(std::string_view path) {
  return path.ends_with("/Packages") || path.ends_with("/Packages.xz") ||
         path.ends_with("/Packages.gz");
}

std::int64_t DateOf(std::string_view value, std::string_view name, std::string_view file,
                    int line) {
  std::optional<std::int64_t> date = ParseReleaseDate(value);
  if (!date) {
    throw Error(fmt::format("{}:{}: {} is no date", file, line, name))
        .Found(std::string(value.substr(0, 80)))
        .Expected("\"Sat, 11 Jul 2026 10:16:37 UTC\"");
  }
  return *date;
}

void AddDigests(std::string_view list, std::string_view file, int line, ReleaseFile& release) {
  for (std::string_view entry : specs::Split(list, '\n')) {
    std::vector<std::string_view> words = specs::SplitWords(entry);
    if (!words.empty()) {
      std::optional<specs::Sha256> digest = specs::Sha256::Parse(words[0]);
      std::optional<std::uint64_t> size;
      if (words.size() == 3) size = specs::ParseUnsigned(words[1]);
      if (!digest || !size) {
        throw Error(fmt::format("{}:{}: no entry of the SHA256 list", file, line))
            .Found(std::string(entry.substr(0, 160)))
            .Expected("a digest, a size and a path");
      }
      if (IsPackagesFile(words[2])) release.packages[std::string(words[2])] = {*size, *digest};
    }
    ++line;
  }
}

std::optional<int> Number(std::string_view text, int least, int most) {
  std::optional<std::uint64_t> number = specs::ParseUnsigned(text);
  if (!number || *number < static_cast<std::uint64_t>(least) ||
      *number > static_cast<std::uint64_t>(most)) {
    return std::nullopt;
  }
  return static_cast<int>(*number);
}

}  // namespace

ReleaseFile ParseRelease(std::string_view text, std::string_view file) {
  specs::ControlReader reader(text, file);
  auto fields = reader.Next();
  if (!fields) throw Error(fmt::format("{} is empty", file));
  ReleaseFile release;
  bool has_date = false;
  bool has_digests = false;
  for (const specs::ControlFieldView& field : *fields) {
    if (field.name == "Suite") {
      release.suite = field.value;
    } else if (field.name == "Codename") {
      release.codename = field.value;
    } else if (field.name == "Date") {
      release.date = DateOf(field.value, "Date", file, field.line);
      has_date = true;
    } else if (field.name == "Valid-Until") {
      release.valid_until = DateOf(field.value, "Valid-Until", file, field.line);
    } else if (field.name == "Acquire-By-Hash") {
      release.acquire_by_hash = field.value == "yes";
    } else if (field.name == "Components") {
      release.components = Words(field.value);
    } else if (field.name == "Architectures") {
      release.architectures = Words(field.value);
    } else if (field.name == "SHA256") {
      AddDigests(field.value, file, field.line, release);
      has_digests = true;
    }
  }
  if (!has_date) throw Error(fmt::format("{} lacks the field Date", file));
  if (!has_digests) throw Error(fmt::format("{} lacks the field SHA256", file));
  return release;
}

std::optional<std::int64_t> ParseReleaseDate(std::string_view text) {
  std::vector<std::string_view> words = specs::SplitWords(text);
  if (words.size() != 6) return std::nullopt;
  if (words[5] != "UTC" && words[5] != "GMT" && words[5] != "+0000") return std::nullopt;
  auto month = std::find(kMonths.begin(), kMonths.end(), words[2]);
  std::vector<std::string_view> clock = specs::Split(words[4], ':');
  if (month == kMonths.end() || clock.size() != 3) return std::nullopt;
  std::optional<int> day = Number(words[1], 1, 31);
  std::optional<int> year = Number(words[3], 1970, 9999);
  std::optional<int> hour = Number(clock[0], 0, 23);
  std::optional<int> minute = Number(clock[1], 0, 59);
  std::optional<int> second = Number(clock[2], 0, 60);
  if (!day || !year || !hour || !minute || !second) return std::nullopt;
  std::chrono::year_month_day date{
      std::chrono::year(*year),
      std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
      std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return days * 86'400 + *hour * 3600 + *minute * 60 + *second;
}

std::string Rfc3339(std::int64_t seconds) {
  std::chrono::sys_seconds time{std::chrono::seconds(seconds)};
  auto day = std::chrono::floor<std::chrono::days>(time);
  std::chrono::year_month_day date(day);
  std::chrono::hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

std::optional<std::string> SnapshotTimestamp(std::string_view rfc3339) {
  constexpr std::string_view kShape = "0000-00-00T00:00:00Z";
  if (rfc3339.size() != kShape.size()) return std::nullopt;
  std::string timestamp;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    bool digit = rfc3339[i] >= '0' && rfc3339[i] <= '9';
    if (kShape[i] == '0' ? !digit : rfc3339[i] != kShape[i]) return std::nullopt;
    if (kShape[i] != '-' && kShape[i] != ':') timestamp += rfc3339[i];
  }
  return timestamp;
}

}  // namespace imgbuild::builder
