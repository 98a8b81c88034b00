// PEP 503, 592, 658, 714: the HTML form of a simple index's project page.
#pragma once

#include <string_view>

#include "builder/pypi/simple_page.h"

namespace imgbuild::builder {

// Reads every <a href> as a file: its name is the last segment of the URL; #sha256=, and the
// attributes data-requires-python, data-yanked and data-core-metadata (or
// data-dist-info-metadata) say the rest. <base href> and relative URLs are resolved. Throws Error
// where the text is not HTML (no tag at all) or of a repository version other than 1.
SimplePage ParseSimpleHtml(std::string_view text, std::string_view page_url);

}  // namespace imgbuild::builder
