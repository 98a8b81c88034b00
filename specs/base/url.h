// RFC 3986: the few URL operations that package indexes and registries need.
#pragma once

#include <string>
#include <string_view>

namespace imgbuild::specs {

// The absolute URL that `reference` means on a page at `base` (section 5.2), without its fragment.
// An absolute `reference` is returned as it is.
std::string ResolveUrl(std::string_view base, std::string_view reference);

// "sha256=..." of "a/b#sha256=..."; "" without a fragment.
std::string_view UrlFragment(std::string_view url);

// The last path segment with %XX decoded: "x-1.0.tar.gz". "" where the path ends in a slash.
std::string UrlFileName(std::string_view url);

// Whether both have the same scheme, host and port, so that credentials of one may go to the other.
bool SameOrigin(std::string_view a, std::string_view b);

// Without slashes at its end, as what a path is put after.
std::string WithoutSlash(std::string_view url);

// Bytes outside RFC 3986's unreserved set as %XX.
std::string PercentEncode(std::string_view text);

// The bytes that %XX stand for; malformed escapes are left as they are.
std::string PercentDecode(std::string_view text);

}  // namespace imgbuild::specs
