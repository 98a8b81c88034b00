// PEP 691, 700, 714: the JSON form of a simple index's project page.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "builder/pypi/simple_page.h"

namespace imgbuild::builder {

// `page_url`: where the page came from after redirects; relative URLs are resolved against it.
// Files without a name or URL are left out. Throws Error where the text is not JSON, has no
// "files", or is of an API version other than 1.
SimplePage ParseSimpleJson(std::string_view text, std::string_view page_url);

// RFC 3339 date-time in UTC or with an offset, or a date alone (midnight UTC): microseconds since
// the epoch. nullopt on anything else.
std::optional<std::int64_t> ParseTimestamp(std::string_view text);

}  // namespace imgbuild::builder
