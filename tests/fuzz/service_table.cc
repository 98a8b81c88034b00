// The supervisor's table of services, which it reads as PID 1.
#include "runtime/service_table.h"

#include <memory>
#include <string>

#include "tests/fuzz/target.h"

namespace imgbuild::fuzz {

void Try(std::string_view bytes) {
  std::string text(bytes);
  const auto table = std::make_unique<runtime::ServiceTable>();  // it is large
  (void)runtime::ParseServiceTable(text.data(), text.size(), *table);
}

}  // namespace imgbuild::fuzz
