#include "layers/io/shared_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include "specs/base/error.h"

namespace imgbuild::layers {
namespace {

std::string Reason() {
  const char* reason = ::dlerror();
  return reason != nullptr ? reason : "no reason given";
}

}  // namespace

SharedLibrary::SharedLibrary(const char* soname, const char* package)
    : soname_(soname), package_(package), handle_(::dlopen(soname, RTLD_NOW | RTLD_LOCAL)) {
  if (handle_ != nullptr) return;
  throw specs::Error(fmt::format("the library {} cannot be loaded", soname_))
      .Found(Reason())
      .Hint(fmt::format("install the package {}", package_));
}

void* SharedLibrary::FindAddress(const char* name) const {
  if (void* address = ::dlsym(handle_, name)) return address;
  throw specs::Error(fmt::format("the library {} has no function {}", soname_, name))
      .Found(Reason())
      .Hint(fmt::format("install the newest {}", package_));
}

}  // namespace imgbuild::layers
