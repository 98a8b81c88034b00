// Libraries that are loaded when they are first needed (dlopen(3)). A build that finds everything
// in its cache runs in some ten milliseconds, and linking the fifty libraries that transfers,
// signatures and foreign archives bring with them would take most of that.
//
//   struct Zip {
//     SharedLibrary library{"libzip.so.5", "libzip5"};
//     IMGBUILD_BIND(zip_open);
//   };
//   const Zip& Lib() { static const Zip zip; return zip; }   ... Lib().zip_open(...)
#pragma once

#include <string>

namespace imgbuild::layers {

class SharedLibrary {
 public:
  // `soname` carries the ABI's number, so a library with another one is not taken. Throws Error
  // that names the Debian `package` to install where the library cannot be loaded. Stays loaded
  // until the process ends.
  SharedLibrary(const char* soname, const char* package);

  // The function of that name. Throws Error where the library has none.
  template <typename Function>
  Function Find(const char* name) const {
    return reinterpret_cast<Function>(FindAddress(name));
  }

 private:
  void* FindAddress(const char* name) const;

  const char* soname_;
  const char* package_;
  void* handle_;
};

}  // namespace imgbuild::layers

// A member named like the C function, with its type, bound to it; needs a member `library` before.
#define IMGBUILD_BIND(function) \
  decltype(&::function) function = library.Find<decltype(&::function)>(#function)
