#include "builder/pypi/simple_page.h"

#include <bit>
#include <cstring>
#include <type_traits>
#include <utility>

#include "specs/base/error.h"
#include "specs/base/url.h"

namespace imgbuild::builder {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::uint32_t kYanked = 1;
constexpr std::uint32_t kHasSha256 = 2;
constexpr std::uint32_t kHasSize = 4;
constexpr std::uint32_t kHasUploadTime = 8;
constexpr std::uint32_t kOffersMetadata = 16;
constexpr std::uint32_t kHasMetadataSha256 = 32;
constexpr std::uint32_t kUrlEndsInFilename = 64;
constexpr std::uint32_t kAllFlags = 127;

// Ends in the layout's version: a change of Record needs another one.
constexpr std::string_view kMagic = "imgbuild page 1\n";
constexpr std::size_t kMaxArena = 1u << 30;

struct Header {
  char magic[16];
  std::uint8_t sha256[32];  // of everything after the header
  std::uint64_t records;
  std::uint64_t arena;
};

specs::Sha256 ToDigest(const std::uint8_t (&bytes)[32]) {
  std::array<std::uint8_t, 32> copy;
  std::memcpy(copy.data(), bytes, copy.size());
  return specs::Sha256(copy);
}

}  // namespace

std::string_view SimplePage::View(Text text) const {
  return std::string_view(arena_).substr(text.offset, text.length);
}

bool SimplePage::InBounds(Text text) const {
  return text.offset <= arena_.size() && text.length <= arena_.size() - text.offset;
}

std::string_view SimplePage::filename(std::size_t index) const {
  return View(records_[index].filename);
}

SimpleFile SimplePage::file(std::size_t index) const {
  const Record& record = records_[index];
  SimpleFile file;
  file.filename = View(record.filename);
  file.url = View(record.url);
  if (record.flags & kUrlEndsInFilename) file.url += file.filename;
  file.requires_python = View(record.requires_python);
  file.yanked_reason = View(record.yanked_reason);
  if (record.flags & kYanked) file.yanked = YankedState::kYes;
  if (record.flags & kOffersMetadata) file.core_metadata = MetadataOffer::kOffered;
  if (record.flags & kHasMetadataSha256) {
    file.core_metadata_sha256 = ToDigest(record.core_metadata_sha256);
  }
  if (record.flags & kHasSha256) file.sha256 = ToDigest(record.sha256);
  if (record.flags & kHasSize) file.size = record.size;
  if (record.flags & kHasUploadTime) file.upload_time = record.upload_time;
  return file;
}

std::string SimplePage::Render() const {
  static_assert(std::is_trivially_copyable_v<Record> && sizeof(Record) == 120);
  Header header{};
  std::memcpy(header.magic, kMagic.data(), sizeof header.magic);
  header.records = records_.size();
  header.arena = arena_.size();
  std::size_t record_bytes = records_.size() * sizeof(Record);
  std::string bytes(sizeof header + record_bytes + arena_.size(), '\0');
  if (record_bytes > 0) std::memcpy(bytes.data() + sizeof header, records_.data(), record_bytes);
  std::memcpy(bytes.data() + sizeof header + record_bytes, arena_.data(), arena_.size());
  specs::Sha256 digest = specs::HashOf(std::string_view(bytes).substr(sizeof header));
  std::memcpy(header.sha256, digest.bytes().data(), sizeof header.sha256);
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

std::optional<SimplePage> SimplePage::Parse(std::string_view bytes) {
  Header header;
  if (bytes.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, bytes.data(), sizeof header);
  if (std::string_view(header.magic, sizeof header.magic) != kMagic) return std::nullopt;
  bytes.remove_prefix(sizeof header);
  if (header.records > bytes.size() / sizeof(Record)) return std::nullopt;
  std::size_t record_bytes = header.records * sizeof(Record);
  if (header.arena != bytes.size() - record_bytes) return std::nullopt;
  if (specs::HashOf(bytes) != ToDigest(header.sha256)) return std::nullopt;
  SimplePage page;
  page.records_.resize(header.records);
  if (record_bytes > 0) std::memcpy(page.records_.data(), bytes.data(), record_bytes);
  page.arena_ = bytes.substr(record_bytes);
  for (const Record& record : page.records_) {
    bool good = page.InBounds(record.filename) && page.InBounds(record.url) &&
                page.InBounds(record.requires_python) && page.InBounds(record.yanked_reason) &&
                (record.flags & ~kAllFlags) == 0;
    if (!good) return std::nullopt;
  }
  return page;
}

bool SimplePage::operator==(const SimplePage& other) const { return Render() == other.Render(); }

SimplePageBuilder::SimplePageBuilder(std::string page_url) : page_url_(std::move(page_url)) {}

bool SimplePageBuilder::Wanted(std::string_view filename) {
  return filename.ends_with(".whl") || filename.ends_with(".tar.gz") || filename.ends_with(".zip");
}

SimplePage::Text SimplePageBuilder::Store(std::string_view text) {
  if (text.empty()) return {};
  if (text.size() > kMaxArena - page_.arena_.size()) {
    throw specs::Error("a page of the package index is larger than 1 GiB");
  }
  SimplePage::Text stored{static_cast<std::uint32_t>(page_.arena_.size()),
                          static_cast<std::uint32_t>(text.size())};
  page_.arena_ += text;
  return stored;
}

SimplePage::Text SimplePageBuilder::Intern(std::string_view text) {
  if (text.empty()) return {};
  auto [entry, added] = interned_.try_emplace(std::string(text));
  if (added) entry->second = Store(text);
  return entry->second;
}

void SimplePageBuilder::Add(const SimpleFile& file) {
  if (!Wanted(file.filename)) return;
  SimplePage::Record record;
  record.filename = Store(file.filename);
  std::string resolved;
  std::string_view url = file.url;
  if (!url.starts_with("https://") || url.find('#') != std::string_view::npos) {
    resolved = specs::ResolveUrl(page_url_, url);
    url = resolved;
  }
  if (url.ends_with(file.filename)) {
    record.flags |= kUrlEndsInFilename;
    url.remove_suffix(file.filename.size());
  }
  record.url = Store(url);
  record.requires_python = Intern(file.requires_python);
  record.yanked_reason = Intern(file.yanked_reason);
  if (file.yanked == YankedState::kYes) record.flags |= kYanked;
  if (file.core_metadata == MetadataOffer::kOffered) record.flags |= kOffersMetadata;
  if (file.core_metadata_sha256) {
    record.flags |= kHasMetadataSha256;
    std::memcpy(record.core_metadata_sha256, file.core_metadata_sha256->bytes().data(), 32);
  }
  if (file.sha256) {
    record.flags |= kHasSha256;
    std::memcpy(record.sha256, file.sha256->bytes().data(), 32);
  }
  if (file.size) {
    record.flags |= kHasSize;
    record.size = *file.size;
  }
  if (file.upload_time) {
    record.flags |= kHasUploadTime;
    record.upload_time = *file.upload_time;
  }
  page_.records_.push_back(record);
}

SimplePage SimplePageBuilder::Finish() {
  interned_.clear();
  return std::exchange(page_, SimplePage());
}

}  // namespace imgbuild::builder
