// What people are told once a service is ready.
#include <stdlib.h>
#include <string.h>

#include "runtime/service.h"

namespace imgbuild::runtime {
namespace {

bool StartsWith(const char* text, const char* start) {
  return strncmp(text, start, strlen(start)) == 0;
}

// "8888": or what IMGBUILD_PORT_8888 says, a number too.
const char* PortOutside(const char* digits, std::size_t size) {
  FixedText<64> name;
  name.Add("IMGBUILD_PORT_").Add(digits, size);
  const char* value = name.cut() ? nullptr : getenv(name.data());
  if (value == nullptr || *value == '\0') return nullptr;
  return value[strspn(value, "0123456789")] == '\0' ? value : nullptr;
}

}  // namespace

void Service::Announce(Output& output) const {
  if (entry_->announce == nullptr) return;
  constexpr char kToken[] = "{token}";
  constexpr char kPort[] = "{port ";
  FixedText<1024> line;
  for (const char* text = entry_->announce; *text != '\0';) {
    if (StartsWith(text, kToken)) {
      if (token_ != nullptr) line.Add("?token=").Add(token_);
      text += sizeof(kToken) - 1;
      continue;
    }
    const char* digits = text + sizeof(kPort) - 1;
    const std::size_t size = StartsWith(text, kPort) ? strspn(digits, "0123456789") : 0;
    if (size > 0 && digits[size] == '}') {
      const char* outside = PortOutside(digits, size);
      if (outside != nullptr) {
        line.Add(outside);
      } else {
        line.Add(digits, size);
      }
      text = digits + size + 1;
      continue;
    }
    line.Add(text++, 1);
  }
  if (output.format() == LogFormat::kJson) {
    output.AddLine(source_, LogStream::kSupervisor, line.data(), line.size());
    return;
  }
  line.Add("\n");
  output.Add(line.data(), line.size());
}

}  // namespace imgbuild::runtime
