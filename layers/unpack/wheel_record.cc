#include "layers/unpack/wheel_record.h"

#include <variant>

#include <fmt/format.h>

#include "specs/base/error.h"
#include "specs/python/record.h"

namespace imgbuild::layers {
namespace {

using specs::Error;
using specs::ErrorKind;

constexpr std::uint64_t kMaxRecord = 64u << 20;
constexpr std::string_view kHint =
    "the wheel is damaged or was changed after it was built; tell its publisher";

std::vector<specs::RecordEntry> ReadRows(const ZipArchive& zip, ZipReader& reader,
                                         const std::string& record) {
  const ZipMember* member = zip.Find(record);
  if (member == nullptr || member->directory) {
    throw Error(ErrorKind::kVerification, fmt::format("the wheel has no {}", record));
  }
  auto parsed = specs::ParseRecord(reader.ReadText(*member, kMaxRecord));
  if (const auto* error = std::get_if<specs::SyntaxError>(&parsed)) {
    throw Error(ErrorKind::kVerification, fmt::format("{} cannot be read", record))
        .Found(error->message);
  }
  return std::get<std::vector<specs::RecordEntry>>(std::move(parsed));
}

// nullopt: a stronger algorithm.
std::optional<specs::Sha256> PromisedDigest(const specs::RecordEntry& row) {
  if (row.hash.starts_with("sha384=") || row.hash.starts_with("sha512=")) return std::nullopt;
  std::optional<specs::Sha256> digest = specs::ParseRecordHash(row.hash);
  if (digest) return digest;
  throw Error(ErrorKind::kVerification, fmt::format("RECORD has no usable hash of {}", row.path))
      .Found(row.hash.empty() ? "none" : row.hash)
      .Expected("sha256=...")
      .Hint(std::string(kHint));
}

}  // namespace

WheelRecord::WheelRecord(const ZipArchive& zip, ZipReader& reader, const std::string& dist_info) {
  std::string record = dist_info + "/RECORD";
  auto is_unlisted = [&](std::string_view name) {
    return name == record || name == record + ".jws" || name == record + ".p7s";
  };
  for (const specs::RecordEntry& row : ReadRows(zip, reader, record)) {
    if (is_unlisted(row.path)) continue;
    const ZipMember* member = zip.Find(row.path);
    if (member == nullptr || member->directory) {
      throw Error(ErrorKind::kVerification,
                  fmt::format("RECORD lists {}, which is not in the wheel", row.path))
          .Hint(std::string(kHint));
    }
    std::optional<specs::Sha256> digest = PromisedDigest(row);
    if (row.size && *row.size != member->size) {
      throw Error(ErrorKind::kVerification, fmt::format("{} is not as RECORD says", row.path))
          .Found(fmt::format("{} bytes", member->size))
          .Expected(fmt::format("{} bytes", *row.size))
          .Hint(std::string(kHint));
    }
    auto [known, is_new] = digests_.emplace(row.path, digest);
    if (!is_new && known->second != digest) {
      throw Error(ErrorKind::kVerification,
                  fmt::format("RECORD lists {} twice, differently", row.path));
    }
  }
  for (const ZipMember& member : zip.members()) {
    if (member.directory || is_unlisted(member.name) || digests_.contains(member.name)) continue;
    throw Error(ErrorKind::kVerification, fmt::format("RECORD does not list {}", member.name))
        .Hint(std::string(kHint));
  }
}

std::optional<specs::Sha256> WheelRecord::Expected(std::string_view member) const {
  auto found = digests_.find(member);
  return found == digests_.end() ? std::nullopt : found->second;
}

void WheelRecord::Check(std::string_view member, const specs::Sha256& found) const {
  std::optional<specs::Sha256> expected = Expected(member);
  if (!expected || *expected == found) return;
  throw Error(ErrorKind::kVerification, fmt::format("{} is not as RECORD says", member))
      .Found(specs::RecordHash(found))
      .Expected(specs::RecordHash(*expected))
      .Hint(std::string(kHint));
}

}  // namespace imgbuild::layers
