// JSON documents that others wrote (RFC 8259), within bounds: what registries, layouts and archives
// give is untrusted.
#pragma once

#include <cstddef>
#include <exception>
#include <new>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "specs/base/error.h"

namespace imgbuild::specs {

// What registries accept as a manifest (distribution-spec v1.1, "Pushing Manifests").
inline constexpr std::size_t kMaxDocument = 4u << 20;
inline constexpr std::size_t kMaxDocumentDepth = 64;

// Time and memory are in proportion to the text. Throws Error for more than kMaxDocument bytes or
// kMaxDocumentDepth nested values, and what the parser throws for anything that is no JSON.
nlohmann::json ParseJsonDocument(std::string_view text);

// The string at `key`; "" where there is none or it is null. Throws for anything else.
std::string TextAt(const nlohmann::json& object, const char* key);

// `problem`, cut to what a terminal may show.
Error NotValid(std::string_view what, std::string_view problem);

// Calls `read`, which reads the document `what`; what it throws becomes an Error that names it.
template <typename Read>
auto Understand(std::string_view what, Read&& read) {
  try {
    return read();
  } catch (Error& error) {
    error.In("while reading " + std::string(what));
    throw;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    throw NotValid(what, error.what());
  }
}

}  // namespace imgbuild::specs
