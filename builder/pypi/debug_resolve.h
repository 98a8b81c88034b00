// `imgbuild debug resolve`: one JSON request a line, one JSON answer a line (docs/debug.md).
#pragma once

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <optional>

#include "builder/net/http_client.h"
#include "builder/pypi/index_config.h"

namespace imgbuild::builder {

struct DebugResolveContext {
  HttpClient& http;
  // The index that "index": null means. Called when first needed; may throw Error, which becomes
  // the answer.
  std::function<IndexConfig()> default_index;
  std::filesystem::path cache_folder;  // "": nothing is kept between requests
  std::int64_t now = 0;                // seconds since the epoch
};

// {"requirements": [...], "index": null|URL, "python": "3.12", "platform": "linux/amd64",
//  "prereleases": "allow"|"if-necessary-or-explicit", "no_binary": [...], "no_build": [...],
//  "exclude_newer": null|"2026-10-01"} -> {"packages": {name: version}} or {"error": text}.
// All but "requirements" may be left out. A date alone means the end of that day, UTC. Empty lines
// are skipped; a line that is no such request is answered with an error.
void RunDebugResolve(std::istream& in, std::ostream& out, const DebugResolveContext& context);

}  // namespace imgbuild::builder
