// The list of a distribution's installed files (PEP 376, PEP 627, "Recording installed projects"):
// RECORD, a CSV (RFC 4180) of path, hash and size.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "specs/base/digest.h"
#include "specs/python/syntax_error.h"

namespace imgbuild::specs {

struct RecordEntry {
  std::string path;  // as written, "/" between parts
  std::string hash;  // "sha256=<urlsafe base64 without padding>", or ""
  std::optional<std::uint64_t> size;

  bool operator==(const RecordEntry&) const = default;
};

// An error on unbalanced quotes, on rows of other than one to three fields, and on sizes that are
// no numbers. Empty lines are skipped, CRLF is taken like LF.
std::variant<std::vector<RecordEntry>, SyntaxError> ParseRecord(std::string_view text);

// Rows in the given order, LF line ends, quotes only where needed. Inverse of ParseRecord.
std::string RenderRecord(const std::vector<RecordEntry>& entries);

// "sha256=..." as RECORD writes it.
std::string RecordHash(const Sha256& digest);
// The inverse; nullopt for other algorithms and for anything malformed.
std::optional<Sha256> ParseRecordHash(std::string_view hash);

}  // namespace imgbuild::specs
