// A shared cache that is written to (--cache-to).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "builder/share/outgoing.h"

namespace imgbuild::builder {

struct ExportResult {
  std::string place;
  std::size_t entries = 0;  // that it lacked
  std::size_t blobs = 0;    // that were sent
  std::uint64_t bytes_sent = 0;
  std::string failure = {};  // why it does not have everything; "" where it has

  bool operator==(const ExportResult&) const = default;
};

class CacheTarget {
 public:
  virtual ~CacheTarget() = default;

  // For messages: without credentials.
  virtual const std::string& name() const = 0;

  // Whether entries of that kind are of use to whoever reads this place.
  virtual bool Keeps(EntryKind kind) const = 0;

  // Afterwards the place has these entries beside those that it had. Throws Error.
  virtual ExportResult Put(const std::vector<OutgoingEntry>& entries) = 0;
};

}  // namespace imgbuild::builder
