// Where an answer sends a request on to (RFC 9110, 15.4), for who follows it by hand, since what
// goes along depends on it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "builder/net/http_client.h"

namespace imgbuild::builder {

bool HasTls(std::string_view url);

// The URL that a request of that method is to be sent to next, as it is; nullopt where the answer
// stands. Throws Error where that is of another scheme than http and https: a file of this machine
// is no server's to give.
std::optional<std::string> NextUrl(std::string_view method, const HttpResponse& response);

// Throws Error where `from` is reached with TLS and `to` without.
void RequireTlsKept(std::string_view from, std::string_view to);

}  // namespace imgbuild::builder
