// What proves to a registry who is asking.
#pragma once

#include <string>

#include "specs/base/secret.h"

namespace imgbuild::builder {

struct Credentials {
  std::string user;
  specs::Secret password;
  specs::Secret identity_token;  // an OAuth2 refresh token instead of user and password
  std::string origin;            // where they were found, for messages: a file's name, a variable

  // Nobody: some registries serve everybody, or ask for a token that everybody gets.
  bool empty() const { return user.empty() && identity_token.empty(); }

  bool operator==(const Credentials&) const = default;
};

}  // namespace imgbuild::builder
