#include "specs/env/spec_keys.h"

#include <cassert>

namespace imgbuild::specs {

std::span<const SpecTable> SpecTables() {
  static const std::vector<SpecTable> kTables = {
      {"",
       {"format", "extends", "image", "system", "python", "cuda", "files", "artifacts",
        "services"}},
      {"image",
       {"name", "tags", "platforms", "env", "labels", "annotations", "workdir", "user",
        "entrypoint", "command", "max-layer-size", "allow-missing-libraries"}},
      {"system",
       {"image", "suite", "profile", "packages", "certificates", "mirror", "snapshot", "keyring"}},
      {"python",
       {"version", "packages", "layers", "requirements", "constraints", "pyproject", "compile",
        "exclude-newer", "prereleases", "indexes"}},
      {"python.layers", {"name", "packages"}},
      {"python.indexes", {"name", "url", "packages"}},
      {"cuda", {"enabled", "version", "components", "provider"}},
      {"files", {"from", "to", "exclude", "mode", "owner"}},
      {"artifacts", {"url", "sha256", "to", "mode", "extract", "strip", "platform"}},
      {"services.NAME",
       {"preset",    "command",  "port",          "app",       "dir",         "env",
        "after",     "ready",    "restart",       "essential", "stop-signal", "stop-timeout",
        "arguments", "base-url", "password-hash", "token",     "announce",    "volumes",
        "type",      "live",     "max-failures",  "user",      "umask",       "limits",
        "env-files", "secrets"}},
      {"services.NAME.ready", {"http", "tcp", "exec", "delay", "port", "timeout"}},
      {"services.NAME.live", {"http", "tcp", "exec", "port", "interval", "timeout", "failures"}}};
  return kTables;
}

const SpecTable& SpecTableOf(std::string_view path) {
  for (const SpecTable& table : SpecTables()) {
    if (table.path == path) return table;
  }
  assert(false);
  return SpecTables().front();
}

}  // namespace imgbuild::specs
