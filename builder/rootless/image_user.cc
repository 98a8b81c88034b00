#include "builder/rootless/image_user.h"

#include <optional>

#include <fmt/core.h>

#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

std::optional<std::uint32_t> IdNumber(std::string_view text) {
  const auto number = specs::ParseUnsigned(text);
  if (!number || *number >= UINT32_MAX) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

enum Column : std::size_t { kName = 0, kId = 2, kGroupOfUser = 3 };

// A field of the first line of passwd(5) or group(5) that has `value` in `column`.
std::optional<std::uint32_t> Find(std::string_view file, Column column, std::string_view value,
                                  Column wanted) {
  for (std::string_view line : specs::Split(file, '\n')) {
    const auto fields = specs::Split(line, ':');
    if (fields.size() > std::max(column, wanted) && fields[column] == value) {
      return IdNumber(fields[wanted]);
    }
  }
  return std::nullopt;
}

std::uint32_t Lookup(std::string_view file, std::string_view name, std::string_view what) {
  if (const auto number = IdNumber(name)) return *number;
  if (const auto found = Find(file, kName, name, kId)) return *found;
  throw specs::Error(fmt::format("the image runs as a {} that it does not have", what))
      .Found(std::string(name))
      .Hint("`user` in [image] takes numbers as well: user = \"1000:0\"");
}

}  // namespace

UserIds ImageUser(std::string_view user, std::string_view passwd, std::string_view group) {
  const std::size_t colon = user.find(':');
  const std::string_view name = user.substr(0, colon);
  UserIds ids{.uid = name.empty() ? 0 : Lookup(passwd, name, "user"), .gid = 0};
  if (colon != std::string_view::npos && colon + 1 < user.size()) {
    ids.gid = Lookup(group, user.substr(colon + 1), "group");
  } else {
    ids.gid = Find(passwd, kId, std::to_string(ids.uid), kGroupOfUser).value_or(0);
  }
  return ids;
}

}  // namespace imgbuild::builder
