#include "builder/pypi/page_cache.h"

#include <atomic>
#include <system_error>

#include <fmt/core.h>
#include <unistd.h>

#include "layers/io/file.h"
#include "specs/base/error.h"
#include "specs/base/key.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

constexpr std::string_view kEntryMagic = "imgbuild index entry 1";
constexpr std::uint64_t kMaxEntry = 1ull << 30;
constexpr std::uint64_t kMaxMetadata = 16ull << 20;

std::optional<std::string> ReadIfThere(const std::filesystem::path& path, std::uint64_t limit) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return std::nullopt;
  try {
    return layers::ReadFile(path, limit);
  } catch (const specs::Error&) {
    return std::nullopt;
  }
}

// Renamed into place without fsync: entries carry checksums, so one torn by a crash is found out
// when it is read, and a sync for each of a hundred pages would cost more than fetching them.
void ReplaceFile(const std::filesystem::path& path, std::string_view bytes) {
  static std::atomic<unsigned> counter = 0;
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  std::filesystem::path temporary = path;
  temporary += fmt::format(".{}.{}.tmp", ::getpid(), counter++);
  try {
    layers::FileSink sink(temporary);
    sink.Write(bytes);
    sink.Close();
    std::filesystem::rename(temporary, path, error);
  } catch (const specs::Error&) {
    error = std::make_error_code(std::errc::io_error);
  }
  if (error) std::filesystem::remove(temporary, error);
}

// The text up to the next newline, taken off the front.
std::optional<std::string> TakeLine(std::string_view& text) {
  std::size_t end = text.substr(0, 4096).find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  std::string line(text.substr(0, end));
  text.remove_prefix(end + 1);
  return line;
}

std::string OneLine(std::string_view value) {
  return value.size() > 1024 || value.find('\n') != std::string_view::npos ? std::string()
                                                                           : std::string(value);
}

std::optional<CachedPage> ParseEntry(std::string_view bytes) {
  CachedPage entry;
  std::optional<std::string> magic = TakeLine(bytes);
  if (magic != kEntryMagic) return std::nullopt;
  std::optional<std::string> fetched = TakeLine(bytes);
  std::optional<std::string> fresh_until = fetched ? TakeLine(bytes) : std::nullopt;
  std::optional<std::string> etag = fresh_until ? TakeLine(bytes) : std::nullopt;
  std::optional<std::string> modified = etag ? TakeLine(bytes) : std::nullopt;
  std::optional<std::string> state = modified ? TakeLine(bytes) : std::nullopt;
  if (!state) return std::nullopt;
  std::optional<std::uint64_t> fetched_at = specs::ParseUnsigned(*fetched);
  std::optional<std::uint64_t> fresh = specs::ParseUnsigned(*fresh_until);
  if (!fetched_at || !fresh || *fetched_at >> 62 != 0 || *fresh >> 62 != 0) return std::nullopt;
  entry.fetched = static_cast<std::int64_t>(*fetched_at);
  entry.fresh_until = static_cast<std::int64_t>(*fresh);
  entry.etag = *etag;
  entry.last_modified = *modified;
  if (*state == "missing" && bytes.empty()) return entry;
  if (*state != "page") return std::nullopt;
  entry.page = SimplePage::Parse(bytes);
  if (!entry.page) return std::nullopt;
  return entry;
}

}  // namespace

PageCache::PageCache(std::filesystem::path folder) : folder_(std::move(folder)) {}

std::filesystem::path PageCache::PathOf(std::string_view index_url,
                                        std::string_view project) const {
  std::string key = specs::KeyBuilder("index-page/1")
                        .Add("index", index_url)
                        .Add("project", project)
                        .Finish()
                        .Hex();
  return folder_ / key.substr(0, 2) / (key.substr(2) + ".page");
}

std::optional<CachedPage> PageCache::Load(std::string_view index_url,
                                          std::string_view project) const {
  if (folder_.empty()) return std::nullopt;
  std::optional<std::string> bytes = ReadIfThere(PathOf(index_url, project), kMaxEntry);
  return bytes ? ParseEntry(*bytes) : std::nullopt;
}

void PageCache::Store(std::string_view index_url, std::string_view project,
                      const CachedPage& page) const {
  if (folder_.empty()) return;
  std::string bytes =
      fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n", kEntryMagic, page.fetched, page.fresh_until,
                  OneLine(page.etag), OneLine(page.last_modified), page.page ? "page" : "missing");
  if (page.page) bytes += page.page->Render();
  ReplaceFile(PathOf(index_url, project), bytes);
}

MetadataCache::MetadataCache(std::filesystem::path folder) : folder_(std::move(folder)) {}

std::filesystem::path MetadataCache::PathOf(const specs::Sha256& wheel) const {
  std::string key = wheel.Hex();
  return folder_ / key.substr(0, 2) / (key.substr(2) + ".metadata");
}

std::optional<std::string> MetadataCache::Load(const specs::Sha256& wheel) const {
  if (folder_.empty() || wheel.IsZero()) return std::nullopt;
  std::optional<std::string> bytes = ReadIfThere(PathOf(wheel), kMaxMetadata);
  if (!bytes) return std::nullopt;
  std::string_view rest = *bytes;
  std::optional<std::string> checksum = TakeLine(rest);
  if (!checksum || specs::Sha256::Parse(*checksum) != specs::HashOf(rest)) return std::nullopt;
  return std::string(rest);
}

void MetadataCache::Store(const specs::Sha256& wheel, std::string_view metadata) const {
  if (folder_.empty() || wheel.IsZero() || metadata.size() > kMaxMetadata) return;
  ReplaceFile(PathOf(wheel), specs::HashOf(metadata).Hex() + "\n" + std::string(metadata));
}

}  // namespace imgbuild::builder
