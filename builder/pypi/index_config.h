// Package indexes (PEP 503, PEP 691) as this program is told about them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "builder/net/http_client.h"

namespace imgbuild::builder {

// One index. Its name is what locks record; its URL and headers are transport only and reach no
// lock or image, and no message but by the setting that gave them.
struct IndexConfig {
  std::string name;                 // "default", "internal", ...
  std::string url;                  // of the simple root: "https://index.example/simple/"
  std::vector<HttpHeader> headers;  // credentials: "Authorization"; sent to the index's origin only
  std::vector<std::string> packages;  // normalised names that come from here and nowhere else
  std::string origin;                 // the setting that gave its URL: "PIP_INDEX_URL"; "" unknown

  // What a request for a file of this index carries: nothing where that lies on another origin.
  std::vector<HttpHeader> HeadersFor(std::string_view file_url) const;
  // For messages: index "default" (PIP_INDEX_URL).
  std::string Shown() const;
};

enum class Connectivity { kOnline, kOffline };

}  // namespace imgbuild::builder
