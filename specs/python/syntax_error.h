// What the parsers of Python's standards answer when a text does not follow the standard.
#pragma once

#include <cstddef>
#include <string>

namespace imgbuild::specs {

// An answer, never thrown: indexes are full of metadata that some reader must skip and go on.
struct SyntaxError {
  std::string message;       // "expected a comma or the end, found \"foo\""
  std::size_t position = 0;  // byte offset in the parsed text

  bool operator==(const SyntaxError&) const = default;
};

}  // namespace imgbuild::specs
