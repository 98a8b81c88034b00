// JSON values as they stand in their text, so that what others wrote can be passed on unchanged.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace imgbuild::specs {

struct RawMember {
  std::string key;         // decoded
  std::string_view value;  // as it stands
};

// The members of the object that `text` is, in their order, keys more than once included. Views
// into `text`. REQUIRES: ParseJsonDocument(text) gave an object.
std::vector<RawMember> RawMembers(std::string_view text);

// The same for the elements of an array. REQUIRES: it is one.
std::vector<std::string_view> RawElements(std::string_view text);

}  // namespace imgbuild::specs
