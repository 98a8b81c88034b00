// What a server asks for: the WWW-Authenticate header (RFC 9110, section 11.6.1) and the token
// scopes of registries (distribution, "Token Authentication Specification").
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace imgbuild::builder {

struct Challenge {
  std::string scheme;                             // in lower case: "bearer", "basic"
  std::map<std::string, std::string> parameters;  // names in lower case: "realm", "scope"

  bool operator==(const Challenge&) const = default;
};

// All challenges of one header, in order. What cannot be understood ends the list: a client can
// only ignore it.
std::vector<Challenge> ParseChallenges(std::string_view header);

}  // namespace imgbuild::builder
