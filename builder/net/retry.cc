#include "builder/net/retry.h"

#include <algorithm>
#include <array>
#include <random>
#include <vector>

#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

constexpr std::chrono::seconds kMostAsked = std::chrono::hours(24 * 365);

}  // namespace

bool IsTransientStatus(int status) {
  switch (status) {
    case 408:
    case 425:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
      return true;
    default:
      return false;
  }
}

std::uint64_t BackoffMs(int next, std::uint64_t base_ms, double jitter) {
  const int doublings = std::clamp(next - 2, 0, 16);
  const double scaled = static_cast<double>(base_ms << doublings) * (0.5 + jitter);
  return std::min<std::uint64_t>(static_cast<std::uint64_t>(scaled), 30'000);
}

double Jitter() {
  thread_local std::mt19937 random{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(random);
}

std::uint64_t RetryAfterMs(std::string_view header, std::chrono::system_clock::time_point now) {
  const auto most = static_cast<std::uint64_t>(kMostAsked.count());
  if (const auto seconds = specs::ParseUnsigned(specs::Trim(header))) {
    return std::min(*seconds, most) * 1000;
  }
  const auto date = ParseHttpDate(header);
  if (!date) return 0;
  // In seconds: of the year 9999, others do not hold the nanoseconds.
  const std::chrono::seconds left = *date - std::chrono::floor<std::chrono::seconds>(now);
  return static_cast<std::uint64_t>(std::clamp(left, std::chrono::seconds(0), kMostAsked).count()) *
         1000;
}

std::optional<std::uint64_t> RetryWaits::Next(std::uint64_t backoff_ms, std::uint64_t asked_ms) {
  const std::uint64_t wait = std::max(backoff_ms, asked_ms);
  if (wait > limits_.one_ms || waited_ms_ + wait > limits_.all_ms) return std::nullopt;
  waited_ms_ += wait;
  return wait;
}

std::optional<std::chrono::sys_seconds> ParseHttpDate(std::string_view text) {
  static constexpr std::array<std::string_view, 12> kMonths = {
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::vector<std::string_view> words = specs::SplitWords(text);  // Sun, 06 Nov 1994 ...
  if (words.size() != 6 || words[5] != "GMT" || !words[0].ends_with(',')) return std::nullopt;
  const auto month = std::ranges::find(kMonths, words[2]);
  const auto day = specs::ParseUnsigned(words[1]);
  const auto year = specs::ParseUnsigned(words[3]);
  const std::vector<std::string_view> clock = specs::Split(words[4], ':');
  if (month == kMonths.end() || !day || !year || *year > 9999 || clock.size() != 3) {
    return std::nullopt;
  }
  const auto hour = specs::ParseUnsigned(clock[0]);
  const auto minute = specs::ParseUnsigned(clock[1]);
  const auto second = specs::ParseUnsigned(clock[2]);  // 60 is a leap second
  if (!hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 60) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{
      std::chrono::year(static_cast<int>(*year)),
      std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
      std::chrono::day(static_cast<unsigned>(*day > 31 ? 0 : *day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*second);
}

}  // namespace imgbuild::builder
