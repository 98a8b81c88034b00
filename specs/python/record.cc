#include "specs/python/record.h"

#include <fmt/core.h>

#include "specs/base/text.h"

namespace imgbuild::specs {
namespace {

constexpr std::string_view kHashPrefix = "sha256=";
constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// The rows of a CSV, one at a time.
class RowReader {
 public:
  explicit RowReader(std::string_view text) : text_(text) {}

  std::size_t position() const { return position_; }

  // False at the end. Throws SyntaxError.
  bool Next(std::vector<std::string>& fields) {
    while (position_ < text_.size() && AtLineEnd()) ++position_;
    if (position_ == text_.size()) return false;
    fields.clear();
    do {
      fields.push_back(TakeField());
    } while (TakeComma());
    if (position_ < text_.size() && !AtLineEnd()) {
      throw SyntaxError{"text after a closing quote", position_};
    }
    return true;
  }

 private:
  bool AtLineEnd() const { return text_[position_] == '\n' || text_[position_] == '\r'; }

  bool TakeComma() {
    if (position_ == text_.size() || text_[position_] != ',') return false;
    ++position_;
    return true;
  }

  std::string TakeField() {
    if (position_ == text_.size() || text_[position_] != '"') {
      std::size_t end = std::min(text_.find_first_of(",\r\n", position_), text_.size());
      std::string field(text_.substr(position_, end - position_));
      position_ = end;
      return field;
    }
    std::string field;
    std::size_t open = position_++;
    for (;;) {
      std::size_t quote = text_.find('"', position_);
      if (quote == std::string_view::npos) throw SyntaxError{"a quote that is not closed", open};
      field += text_.substr(position_, quote - position_);
      position_ = quote + 1;
      if (position_ == text_.size() || text_[position_] != '"') return field;
      field += '"';
      ++position_;
    }
  }

  std::string_view text_;
  std::size_t position_ = 0;
};

RecordEntry ParseRow(std::vector<std::string>& fields, std::size_t position) {
  if (fields.size() > 3) {
    throw SyntaxError{fmt::format("a row of {} fields instead of 3", fields.size()), position};
  }
  fields.resize(3);
  RecordEntry entry;
  entry.path = std::move(fields[0]);
  entry.hash = std::move(fields[1]);
  if (entry.path.empty()) throw SyntaxError{"a row without a path", position};
  if (fields[2].empty()) return entry;
  entry.size = ParseUnsigned(fields[2]);
  if (!entry.size) {
    throw SyntaxError{fmt::format("\"{}\" is no size in bytes", fields[2]), position};
  }
  return entry;
}

std::string Quoted(const std::string& field) {
  if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
  std::string quoted = "\"";
  for (char c : field) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace

std::variant<std::vector<RecordEntry>, SyntaxError> ParseRecord(std::string_view text) {
  try {
    std::vector<RecordEntry> entries;
    std::vector<std::string> fields;
    RowReader rows(text);
    for (std::size_t begin = 0; rows.Next(fields); begin = rows.position()) {
      entries.push_back(ParseRow(fields, begin));
    }
    return entries;
  } catch (const SyntaxError& error) {
    return error;
  }
}

std::string RenderRecord(const std::vector<RecordEntry>& entries) {
  std::string text;
  for (const RecordEntry& entry : entries) {
    text += Quoted(entry.path) + ',' + Quoted(entry.hash) + ',';
    if (entry.size) text += std::to_string(*entry.size);
    text += '\n';
  }
  return text;
}

std::string RecordHash(const Sha256& digest) {
  std::string text(kHashPrefix);
  std::uint32_t bits = 0;
  int count = 0;
  for (std::uint8_t byte : digest.bytes()) {
    bits = bits << 8 | byte;
    for (count += 8; count >= 6; count -= 6) text += kAlphabet[bits >> (count - 6) & 63];
  }
  if (count > 0) text += kAlphabet[bits << (6 - count) & 63];
  return text;
}

std::optional<Sha256> ParseRecordHash(std::string_view hash) {
  if (!hash.starts_with(kHashPrefix)) return std::nullopt;
  hash.remove_prefix(kHashPrefix.size());
  while (hash.ends_with('=')) hash.remove_suffix(1);
  if (hash.size() != 43) return std::nullopt;
  std::array<std::uint8_t, Sha256::kSize> bytes{};
  std::uint32_t bits = 0;
  int count = 0;
  std::size_t filled = 0;
  for (char c : hash) {
    std::size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8 && filled < bytes.size()) {
      count -= 8;
      bytes[filled++] = static_cast<std::uint8_t>(bits >> count);
    }
  }
  bool spare_bits_are_zero = (bits & ((1u << count) - 1)) == 0;
  return spare_bits_are_zero ? std::optional(Sha256(bytes)) : std::nullopt;
}

}  // namespace imgbuild::specs
