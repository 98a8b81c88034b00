// Which ids of this machine the image's users and groups are (user_namespaces(7)).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace imgbuild::builder {

// `count` ids from `inside` on are, seen from here, those from `outside` on.
struct IdRange {
  std::uint32_t inside = 0;
  std::uint32_t outside = 0;
  std::uint32_t count = 1;

  bool operator==(const IdRange&) const = default;
};

// A user and a group by number: of whoever runs this program, or of an image.
struct UserIds {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;

  bool operator==(const UserIds&) const = default;
};

enum class MapWriter {
  kProgram,  // this program writes the maps
  kHelpers,  // newuidmap and newgidmap, which may give ids of /etc/subuid and /etc/subgid
};

struct IdMaps {
  std::vector<IdRange> uids;
  std::vector<IdRange> gids;
  MapWriter writer = MapWriter::kProgram;

  bool operator==(const IdMaps&) const = default;

  // Whether the image has no other user than one, so that all of its files are that one's.
  bool IsSingle() const;
  // One text for each pair of maps: "u 0:100000:1000 1000:1000:1 g ...".
  std::string Render() const;
};

// The image's user is the caller, and there is nobody else.
IdMaps SingleMaps(const UserIds& caller, const UserIds& image);

// The image's user is the caller, and the image's other ids, up to 65535, come in order from the
// first ranges that `subuid` and `subgid` (subuid(5)) have for the caller, as far as those reach.
// Nullopt where one of them has none.
std::optional<IdMaps> SubordinateMaps(const UserIds& caller, std::string_view caller_name,
                                      const UserIds& image, std::string_view subuid,
                                      std::string_view subgid);

// Every id that there is here is itself: for root. The texts are those of /proc/self/uid_map and
// gid_map. Nullopt where they say nothing.
std::optional<IdMaps> SameMaps(std::string_view uid_map, std::string_view gid_map);

}  // namespace imgbuild::builder
