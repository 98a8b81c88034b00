#include "builder/share/action_result.h"

#include <cstdint>
#include <limits>

namespace imgbuild::builder {
namespace {

// "Message Structure": the lower three bits of a field's key.
enum WireType : std::uint64_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

void AddVarint(std::uint64_t value, std::string& out) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7f) | 0x80);
  out += static_cast<char>(value);
}

void AddBytes(std::uint64_t field, std::string_view bytes, std::string& out) {
  if (bytes.empty()) return;
  AddVarint(field << 3 | kBytes, out);
  AddVarint(bytes.size(), out);
  out += bytes;
}

void AddNumber(std::uint64_t field, std::uint64_t value, std::string& out) {
  if (value == 0) return;
  AddVarint(field << 3 | kVarint, out);
  AddVarint(value, out);
}

struct Field {
  std::uint64_t number = 0;
  std::uint64_t value = 0;  // of a varint
  std::string_view bytes;
  bool is_varint = false;
  bool is_bytes = false;
};

// Takes one field after the other off the front; `good` is false from the first that is none.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : rest_(bytes) {}

  bool good() const { return good_; }

  std::optional<Field> Next() {
    if (rest_.empty() || !good_) return std::nullopt;
    const auto key = Varint();
    if (!key || *key >> 3 == 0) return Wrong();
    Field field{.number = *key >> 3, .value = 0, .bytes = {}};
    std::optional<std::uint64_t> length;
    switch (*key & 7) {
      case kVarint: {
        const auto value = Varint();
        if (!value) return Wrong();
        field.value = *value;
        field.is_varint = true;
        return field;
      }
      case kFixed64:
        length = 8;
        break;
      case kBytes:
        length = Varint();
        field.is_bytes = true;
        break;
      case kFixed32:
        length = 4;
        break;
      default:
        return Wrong();
    }
    if (!length || *length > rest_.size()) return Wrong();
    field.bytes = rest_.substr(0, *length);
    rest_.remove_prefix(*length);
    return field;
  }

 private:
  std::optional<Field> Wrong() {
    good_ = false;
    return std::nullopt;
  }

  std::optional<std::uint64_t> Varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) return std::nullopt;
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      if (shift == 63 && byte > 1) return std::nullopt;
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    return std::nullopt;
  }

  std::string_view rest_;
  bool good_ = true;
};

bool ParseDigest(std::string_view bytes, EntryBlob& blob) {
  Fields fields(bytes);
  std::optional<specs::Sha256> hash;
  while (const auto field = fields.Next()) {
    if (field->number == 1 && field->is_bytes) hash = specs::Sha256::Parse(field->bytes);
    if (field->number == 2 && field->is_varint) blob.size = field->value;
  }
  // int64: what is negative is no size.
  if (!fields.good() || !hash || blob.size > std::numeric_limits<std::int64_t>::max()) return false;
  blob.digest = *hash;
  return true;
}

std::optional<EntryBlob> ParseOutputFile(std::string_view bytes) {
  EntryBlob blob;
  Fields fields(bytes);
  bool has_digest = false;
  while (const auto field = fields.Next()) {
    if (!field->is_bytes) continue;
    if (field->number == 1) blob.name = field->bytes;
    if (field->number == 2) has_digest = ParseDigest(field->bytes, blob);
  }
  if (!fields.good() || !has_digest) return std::nullopt;
  return blob;
}

}  // namespace

std::string RenderActionResult(const CacheEntry& entry) {
  std::string out;
  for (const EntryBlob& blob : entry.blobs) {
    std::string digest;
    AddBytes(1, blob.digest.Hex(), digest);
    AddNumber(2, blob.size, digest);
    std::string file;
    AddBytes(1, blob.name, file);
    AddBytes(2, digest, file);
    AddBytes(2, file, out);
  }
  AddBytes(5, entry.document, out);
  return out;
}

std::optional<CacheEntry> ParseActionResult(std::string_view bytes) {
  CacheEntry entry;
  Fields fields(bytes);
  while (const auto field = fields.Next()) {
    if (!field->is_bytes) continue;
    if (field->number == 5) entry.document = field->bytes;
    if (field->number != 2) continue;
    auto blob = ParseOutputFile(field->bytes);
    if (!blob || entry.blobs.size() == kMostBlobs) return std::nullopt;
    entry.blobs.push_back(*std::move(blob));
  }
  if (!fields.good()) return std::nullopt;
  return entry;
}

}  // namespace imgbuild::builder
