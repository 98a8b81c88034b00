// PEP 503, 592, 658, 691, 700, 714: one project's page of a simple index, in compact form.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "specs/base/digest.h"

namespace imgbuild::builder {

enum class YankedState : std::uint8_t { kNo, kYes };
// Whether the index serves a file's METADATA beside it (PEP 658, 714).
enum class MetadataOffer : std::uint8_t { kAbsent, kOffered };

// One file as a page lists it. The views live as long as the page.
struct SimpleFile {
  std::string_view filename;
  std::string url;                   // absolute
  std::string_view requires_python;  // PEP 440 specifiers; "" for none
  std::string_view yanked_reason;
  YankedState yanked = YankedState::kNo;
  MetadataOffer core_metadata = MetadataOffer::kAbsent;
  std::optional<specs::Sha256> core_metadata_sha256;
  std::optional<specs::Sha256> sha256;
  std::optional<std::uint64_t> size;        // bytes
  std::optional<std::int64_t> upload_time;  // microseconds since the epoch, UTC
};

// Wheels and source archives of one project in the order of the page; anything else is dropped.
// Immutable; made by SimplePageBuilder.
class SimplePage {
 public:
  std::size_t size() const { return records_.size(); }
  std::string_view filename(std::size_t index) const;
  SimpleFile file(std::size_t index) const;

  // The bytes that the page cache keeps. Parse(Render()) gives an equal page; Parse gives nullopt
  // for anything Render did not write (a checksum covers every byte).
  std::string Render() const;
  static std::optional<SimplePage> Parse(std::string_view bytes);

  bool operator==(const SimplePage& other) const;

 private:
  friend class SimplePageBuilder;

  struct Text {
    std::uint32_t offset = 0;
    std::uint32_t length = 0;
  };
  // Plain data, written to the cache as it lies in memory (little-endian hosts only).
  struct Record {
    Text filename;
    Text url;  // without the file name at its end when kUrlEndsInFilename is set
    Text requires_python;
    Text yanked_reason;
    std::uint64_t size = 0;
    std::int64_t upload_time = 0;
    std::uint8_t sha256[32] = {};
    std::uint8_t core_metadata_sha256[32] = {};
    std::uint32_t flags = 0;
    std::uint32_t unused = 0;
  };

  std::string_view View(Text text) const;
  bool InBounds(Text text) const;

  std::vector<Record> records_;
  std::string arena_;
};

class SimplePageBuilder {
 public:
  // `page_url`: what relative URLs are resolved against.
  explicit SimplePageBuilder(std::string page_url);

  // Whether a file of this name is worth adding: a wheel, ".tar.gz" or ".zip".
  static bool Wanted(std::string_view filename);

  // Copies what it needs. `file.url` may be relative. Files that are not Wanted are ignored.
  void Add(const SimpleFile& file);
  // Relative URLs of files added from now on are resolved against `base` (HTML's <base href>).
  void SetBase(std::string base) { page_url_ = std::move(base); }
  const std::string& base() const { return page_url_; }

  SimplePage Finish();

 private:
  SimplePage::Text Store(std::string_view text);
  SimplePage::Text Intern(std::string_view text);

  std::string page_url_;
  SimplePage page_;
  std::unordered_map<std::string, SimplePage::Text> interned_;
};

}  // namespace imgbuild::builder
