#include "layers/store/verified_files.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "layers/io/file.h"
#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::layers {
namespace {

constexpr std::uint64_t kMostBytes = 2u << 20;  // some 15,000 lines; then it starts anew
constexpr std::string_view kRecord = "record";

}  // namespace

bool VerifiedFiles::Has(const specs::Sha256& digest, const std::filesystem::path& file) {
  const std::lock_guard lock(mutex_);
  Load();
  const auto known = stamps_.find(digest);
  return known != stamps_.end() && FileStamp::Of(file) == known->second;
}

void VerifiedFiles::Note(const specs::Sha256& digest, const FileStamp& stamp) {
  const std::lock_guard lock(mutex_);
  Load();
  stamps_[digest] = stamp;
  Append(fmt::format("{} {}\n", digest.Hex(), stamp.Render()));
}

bool VerifiedFiles::HasRecord(const specs::Sha256& wheel) {
  const std::lock_guard lock(mutex_);
  Load();
  return records_.contains(wheel);
}

void VerifiedFiles::NoteRecord(const specs::Sha256& wheel) {
  const std::lock_guard lock(mutex_);
  Load();
  if (records_.insert(wheel).second) Append(fmt::format("{} {}\n", wheel.Hex(), kRecord));
}

void VerifiedFiles::Append(const std::string& line) {
  const FileDescriptor file(open(table_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
  // In one go, so that lines of several processes do not mix.
  if (file.valid()) (void)!write(file.get(), line.data(), line.size());
}

void VerifiedFiles::Load() {
  if (std::exchange(loaded_, true)) return;
  std::string text;
  std::error_code error;
  if (!std::filesystem::exists(table_, error)) return;
  try {
    text = ReadFile(table_, kMostBytes);
  } catch (const specs::Error&) {
    unlink(table_.c_str());
    return;
  }
  for (std::string_view line : specs::Split(text, '\n')) {
    const std::vector<std::string_view> words = specs::SplitWords(line);
    if (words.size() < 2) continue;
    const auto digest = specs::Sha256::Parse(words[0]);
    if (!digest) continue;
    if (words.size() == 2 && words[1] == kRecord) records_.insert(*digest);
    const auto stamp = FileStamp::Parse(std::span(words).subspan(1));
    if (stamp) stamps_[*digest] = *stamp;
  }
}

}  // namespace imgbuild::layers
