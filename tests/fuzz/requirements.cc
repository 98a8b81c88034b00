// PEP 508 requirements, PEP 440 specifiers and markers: what parses renders to the same.
#include <variant>

#include "specs/python/marker.h"
#include "specs/python/requirement.h"
#include "specs/python/specifier.h"
#include "tests/fuzz/target.h"

namespace imgbuild::fuzz {
namespace {

template <typename Value>
void CheckRoundTrip(std::string_view bytes) {
  const auto parsed = Value::Parse(bytes);
  if (!std::holds_alternative<Value>(parsed)) return;
  const Value& value = std::get<Value>(parsed);
  const auto again = Value::Parse(value.Render());
  Require(std::holds_alternative<Value>(again), "what was rendered parses");
  Require(std::get<Value>(again) == value, "and is the same");
}

}  // namespace

void Try(std::string_view bytes) {
  CheckRoundTrip<specs::Requirement>(bytes);
  CheckRoundTrip<specs::SpecifierSet>(bytes);
  CheckRoundTrip<specs::Marker>(bytes);
  (void)specs::Requirement::ParseLenient(bytes);
  (void)specs::ParseSpecifierLenient(bytes);
}

}  // namespace imgbuild::fuzz
