#include <cstring>

#include "runtime/service_table.h"

namespace imgbuild::runtime {
namespace {

bool Same(const char* a, const char* b) {
  if (a == nullptr || b == nullptr) return a == b;
  return std::strcmp(a, b) == 0;
}

template <std::size_t Most>
bool Same(const Arguments<Most>& a, const Arguments<Most>& b) {
  if (a.size != b.size) return false;
  for (std::size_t i = 0; i < a.size; ++i) {
    if (!Same(a.argv[i], b.argv[i])) return false;
  }
  return true;
}

bool Same(const char* const* a, std::size_t a_size, const char* const* b, std::size_t b_size) {
  if (a_size != b_size) return false;
  for (std::size_t i = 0; i < a_size; ++i) {
    if (!Same(a[i], b[i])) return false;
  }
  return true;
}

bool Same(const ProbeEntry& a, const ProbeEntry& b) {
  return a.kind == b.kind && a.port == b.port && Same(a.path, b.path) &&
         Same(a.command, b.command) && a.timeout_ms == b.timeout_ms && a.every_ms == b.every_ms &&
         a.most == b.most;
}

bool SameSurroundings(const ServiceEntry& a, const ServiceEntry& b) {
  if (a.secrets_size != b.secrets_size || a.limits_size != b.limits_size) return false;
  for (std::size_t i = 0; i < a.secrets_size; ++i) {
    if (!Same(a.secrets[i].variable, b.secrets[i].variable)) return false;
    if (!Same(a.secrets[i].file, b.secrets[i].file)) return false;
  }
  for (std::size_t i = 0; i < a.limits_size; ++i) {
    const LimitEntry& x = a.limits[i];
    const LimitEntry& y = b.limits[i];
    if (x.resource != y.resource || x.limit.rlim_cur != y.limit.rlim_cur ||
        x.limit.rlim_max != y.limit.rlim_max) {
      return false;
    }
  }
  return Same(a.dir, b.dir) && Same(a.env, a.env_size, b.env, b.env_size) &&
         Same(a.env_files, a.env_files_size, b.env_files, b.env_files_size) &&
         Same(a.user, b.user) && a.umask == b.umask;
}

}  // namespace

bool SameService(const ServiceTable& table_a, std::size_t i, const ServiceTable& table_b,
                 std::size_t k) {
  const ServiceEntry& a = table_a.services[i];
  const ServiceEntry& b = table_b.services[k];
  if (a.after_size != b.after_size) return false;
  for (std::size_t n = 0; n < a.after_size; ++n) {
    if (!Same(table_a.services[a.after[n]].name, table_b.services[b.after[n]].name)) return false;
  }
  return Same(a.name, b.name) && a.type == b.type && Same(a.command, b.command) &&
         SameSurroundings(a, b) && Same(a.ready, b.ready) && a.ready_ms == b.ready_ms &&
         Same(a.live, b.live) && a.restart == b.restart && a.most_failures == b.most_failures &&
         a.essential == b.essential && a.stop_signal == b.stop_signal && a.stop_ms == b.stop_ms &&
         Same(a.token, b.token) && Same(a.announce, b.announce);
}

}  // namespace imgbuild::runtime
