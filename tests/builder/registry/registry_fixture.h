// A client, a registry in memory and a folder, for the tests of this folder.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include "builder/net/curl_client.h"
#include "builder/registry/push_memory.h"
#include "builder/registry/registry.h"
#include "tests/support/mini_registry.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {

class RegistryFixture : public testing::Test {
 protected:
  static Credentials Ann(const std::string& password = "secret") {
    return {.user = "ann",
            .password = specs::Secret(password),
            .identity_token = {},
            .origin = "the test"};
  }

  Registry Open(const support::MiniRegistry& server, Credentials credentials = {},
                const std::string& repository = "team/app", Access access = Access::kPush) {
    return Registry(client_,
                    {.host = server.host(),
                     .repository = repository,
                     .transport = Transport::kFallback,
                     .tls = nullptr},
                    std::move(credentials), access);
  }

  support::TempFolder folder_;
  CurlClient client_{{.user_agent = "test", .max_tries = 2, .backoff_ms = 1}};
  PushMemory memory_{folder_.path()};
};

// Bytes that differ everywhere, so that a shift shows.
inline std::string Noise(std::size_t size, unsigned seed = 1) {
  std::string bytes(size, '\0');
  std::uint32_t state = seed * 2654435761u + 1;
  for (char& byte : bytes) {
    state = state * 1664525u + 1013904223u;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

}  // namespace imgbuild::builder
