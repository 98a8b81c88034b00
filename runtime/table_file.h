// A service table and the text that it points into.
#pragma once

#include "runtime/service_table.h"
#include "runtime/text.h"

namespace imgbuild::runtime {

class TableFile {
 public:
  // Reads and parses `path`; a file that is missing is a table without services. False, with the
  // reason in `why`, where that fails: then table() is not to be used.
  bool Read(const char* path, FixedText<300>& why);
  const ServiceTable& table() const { return table_; }

 private:
  ServiceTable table_;
  char text_[kMaxTable + 1];
};

}  // namespace imgbuild::runtime
