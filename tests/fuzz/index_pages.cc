// Pages of package indexes, in HTML (PEP 503) and JSON (PEP 691).
#include "builder/pypi/simple_html.h"
#include "builder/pypi/simple_json.h"
#include "builder/pypi/simple_page.h"
#include "specs/base/error.h"
#include "tests/fuzz/target.h"

namespace imgbuild::fuzz {

void Try(std::string_view bytes) {
  (void)builder::SimplePage::Parse(bytes);
  try {
    (void)builder::ParseSimpleHtml(bytes, "https://index.example/simple/x/");
  } catch (const specs::Error&) {
  }
  (void)builder::ParseSimpleJson(bytes, "https://index.example/simple/x/");
}

}  // namespace imgbuild::fuzz
