// What HTTP caches are to be told of who asks: from the environment, for one host each.
#pragma once

#include <string_view>
#include <vector>

#include "builder/host/environment.h"
#include "builder/net/http_client.h"

namespace imgbuild::builder {

// IMGBUILD_CACHE_HOST_TOKEN as a bearer token (RFC 6750), else IMGBUILD_CACHE_HOST_USERNAME and
// _PASSWORD (RFC 7617), and IMGBUILD_CACHE_HOST_HEADER, "Name: value", beside them. HOST is the
// URL's host and port in upper case, with _ for all but letters and digits. Nothing where none is
// set: netrc and the URL itself count then. Throws Error (kUsage) for a header that is none, which
// is not shown.
std::vector<HttpHeader> CacheHeaders(const Environment& environment, std::string_view url);

}  // namespace imgbuild::builder
