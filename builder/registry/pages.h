// Lists that a registry gives in pages: the answer's Link header leads to the next (RFC 8288; OCI
// distribution-spec v1.1, "Listing Tags", "Listing Referrers").
#pragma once

#include <functional>
#include <string>

#include "builder/registry/registry.h"

namespace imgbuild::builder {

// Calls `take` for each page from `path` on, below the repository; false from it ends the list.
// Throws Error where a page leads to another host, or to itself and so on without end.
void ForEachPage(Registry& registry, const std::string& path,
                 const std::function<bool(const HttpResponse&)>& take);

// The target of the link with rel="next" in a Link header; "" where there is none.
std::string NextLink(std::string_view header);

}  // namespace imgbuild::builder
